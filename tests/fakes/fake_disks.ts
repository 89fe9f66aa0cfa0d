/** Disks, and the programs that look at them, make file systems and check. */
import { AgentError } from "../../lib/base/errors.ts";
import type { Command, Ended, Programs } from "../../lib/port/programs.ts";

export interface FakeDisk {
  /** Absent: there is nothing on it. */
  type?: string;
  isPartitioned?: boolean;
  /** How often it was checked. */
  checks?: number;
  isBroken?: boolean;
}

export class FakeDisks implements Programs {
  /** By the path of the device. */
  readonly disks = new Map<string, FakeDisk>();
  /** Programs that are not there, or may not be run. */
  readonly refused = new Map<string, "NotFound" | "NotAllowed">();

  run({ path, args }: Command): Promise<Ended> {
    return Promise.try(() => {
      const reason = this.refused.get(path);
      if (reason !== undefined) {
        const message = `Cannot run ${path}: ${reason}`;
        throw new AgentError(message, { next: "give-up", reason });
      }
      const disk = this.disks.get(args.at(-1) ?? "");
      if (disk === undefined) return ended(1, "no such device");
      if (path === "blkid") return tell(disk);
      if (path === "fsck") {
        disk.checks = (disk.checks ?? 0) + 1;
        return disk.isBroken ? ended(4, "bad blocks") : ended(0);
      }
      if (!path.startsWith("mkfs.") || disk.isBroken) {
        return ended(1, "cannot write");
      }
      disk.type = path.slice("mkfs.".length);
      return ended(0);
    });
  }
}

function tell({ type, isPartitioned }: FakeDisk): Ended {
  const lines = [
    ...type === undefined ? [] : [`TYPE=${type}`],
    ...isPartitioned ? ["PTTYPE=gpt"] : [],
  ];
  return ended(lines.length === 0 ? 2 : 0, "", lines.join("\n"));
}

function ended(code: number, stderr = "", stdout = ""): Ended {
  return { code, stdout, stderr };
}
