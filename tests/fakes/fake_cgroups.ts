/** In-memory `Cgroups`. Keeps the promises of `tests/contract`. */
import { AgentError } from "../../lib/base/errors.ts";
import type {
  CgroupFault,
  Cgroups,
  CgroupValues,
} from "../../lib/port/host.ts";

/**
 * Cgroups by path; a busy one cannot be removed, a full one takes no lower
 * memory limit, and a broken one cannot be made.
 */
export class FakeCgroups implements Cgroups {
  readonly present = new Set<string>();
  readonly values = new Map<string, CgroupValues>();
  readonly busy = new Set<string>();
  readonly full = new Set<string>();
  readonly broken = new Set<string>();

  apply(
    cgroupPath: string,
    values: CgroupValues,
    ifMissing: "make" | "leave",
  ): Promise<readonly CgroupFault[]> {
    return Promise.try(() => {
      if (cgroupPath.replaceAll("/", "") === "") {
        throw give("Cannot make cgroup: the path is empty");
      }
      if (cgroupPath.split("/").includes("..")) {
        throw give(`Cannot make cgroup ${cgroupPath}: not a plain path`);
      }
      if (this.broken.has(cgroupPath)) {
        throw give(`Cannot make cgroup ${cgroupPath}: broken`, "retry");
      }
      if (ifMissing === "leave" && !this.present.has(cgroupPath)) return [];
      const parts = cgroupPath.split("/");
      for (let end = 2; end <= parts.length; end++) {
        this.present.add(parts.slice(0, end).join("/"));
      }
      const { memoryLimitBytes, ...rest } = values;
      const isFull = memoryLimitBytes !== undefined &&
        this.full.has(cgroupPath);
      const set = isFull ? rest : values;
      this.values.set(cgroupPath, { ...this.values.get(cgroupPath), ...set });
      return isFull ? [{ kind: "in-use", message: "memory: in use" }] : [];
    });
  }

  removePod(cgroupPath: string): Promise<void> {
    return Promise.try(() => {
      if (cgroupPath.replaceAll("/", "") === "") {
        throw give("Cannot remove cgroup: the path is empty");
      }
      if (this.busy.has(cgroupPath)) {
        throw give(`Cannot remove cgroup ${cgroupPath}: busy`, "retry");
      }
      for (const each of this.present) {
        const isInside = each.startsWith(`${cgroupPath}/`);
        if (each !== cgroupPath && !isInside) continue;
        this.present.delete(each);
        this.values.delete(each);
      }
    });
  }

  childrenOf(cgroupPath: string): Promise<readonly string[]> {
    const inside = [...this.present]
      .filter((each) => each.startsWith(`${cgroupPath}/`))
      .map((each) => each.slice(cgroupPath.length + 1).split("/")[0] ?? "");
    return Promise.resolve([...new Set(inside)]);
  }
}

function give(message: string, next: "give-up" | "retry" = "give-up") {
  return new AgentError(message, { next });
}
