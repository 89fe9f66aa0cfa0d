/**
 * What this very process takes, as /proc tells it. Texts in, numbers out; the
 * directory is read by `usage.ts`.
 */
import type { OwnUse } from "../port/usage.ts";

/** USER_HZ: 100 everywhere. */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;

export interface OwnTexts {
  /** `/proc/self/stat` */
  readonly stat: string;
  /** `/proc/self/limits` */
  readonly limits: string;
  /** `/proc/self/net/netstat` */
  readonly netstat: string;
  /** `/proc/self/cgroup` */
  readonly cgroup: string;
  readonly openFiles: number;
  readonly bootedAtMs: number;
}

export function ownUse(texts: OwnTexts): OwnUse {
  // A name may hold anything, brackets and spaces too; it ends at the last.
  const fields = texts.stat.slice(texts.stat.lastIndexOf(")") + 2).split(" ");
  const field = (number: number) => Number(fields[number - 3] ?? 0);
  const startedTicks = field(22);
  return {
    cpuSeconds: (field(14) + field(15)) / TICKS_PER_SECOND,
    virtualBytes: field(23),
    virtualLimit: limitIn(texts.limits, "Max address space"),
    receivedBytes: octetsIn(texts.netstat, "InOctets"),
    sentBytes: octetsIn(texts.netstat, "OutOctets"),
    residentBytes: field(24) * PAGE_BYTES,
    startedAtMs: texts.bootedAtMs + startedTicks * 1000 / TICKS_PER_SECOND,
    openFiles: texts.openFiles,
    openFilesLimit: limitIn(texts.limits, "Max open files"),
    cgroup: cgroupIn(texts.cgroup),
  };
}

/** Epoch milliseconds, from `/proc/stat`. */
export function bootedAtMs(stat: string): number {
  return Number(/^btime (\d+)$/m.exec(stat)?.[1] ?? 0) * 1000;
}

/** A line of names, then one of values. */
function octetsIn(netstat: string, name: string): number {
  const [names = [], values = []] = netstat.split("\n")
    .filter((line) => line.startsWith("IpExt:"))
    .map((line) => line.split(" "));
  return Number(values[names.indexOf(name)] ?? 0);
}

function limitIn(limits: string, name: string): number {
  const line = limits.split("\n").find((each) => each.startsWith(`${name} `));
  const found = line?.slice(name.length).trim().split(" ")[0];
  return found === "unlimited" ? Infinity : Number(found ?? 0);
}

/** Version 2's one line, or that of processor accounting. */
function cgroupIn(text: string): string {
  const lines = text.trim().split("\n").map((line) => {
    const [, controllers = "", ...path] = line.split(":");
    return { controllers: controllers.split(","), path: path.join(":") };
  });
  const path = lines.find(({ controllers }) => controllers.includes("cpuacct"))
    ?.path ?? lines.find(({ controllers }) => controllers[0] === "")?.path;
  return path === "/" ? "" : path ?? "";
}
