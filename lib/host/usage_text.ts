/**
 * The kernel's texts about use, as numbers. Pure: `usage.ts` reads them. What
 * is missing or not a number counts as absent, never as an error: kernels
 * differ in what they tell.
 */
import { without } from "../base/saturate.ts";
import type {
  CpuCounts,
  DiskCounts,
  MemoryCounts,
  Pressure,
  PressureLine,
} from "../port/usage.ts";

/** What a file of a cgroup says; undefined when there is no such file. */
export type ReadFile = (name: string) => string | undefined;

/** Nanoseconds of one tick of `cpuacct.stat`: USER_HZ is 100 everywhere. */
const TICK_NS = 10_000_000n;
const US = 1_000n;
/** Compat: cadvisor: above this, version 1 means that there is no limit. */
const UNLIMITED = 1n << 62n;

export function wholeNumber(text: string | undefined): bigint | undefined {
  const trimmed = text?.trim() ?? "";
  return /^\d+$/.test(trimmed) ? BigInt(trimmed) : undefined;
}

/** `name value` lines, as in `memory.stat`: of many, few are asked for. */
export interface Keyed {
  get(name: string): bigint | undefined;
}

export function keyed(text: string | undefined): Keyed {
  const lines = `\n${text ?? ""}\n`;
  return {
    get: (name) => {
      const at = lines.indexOf(`\n${name} `);
      if (at < 0) return undefined;
      const from = at + name.length + 2;
      return wholeNumber(lines.slice(from, lines.indexOf("\n", from)));
    },
  };
}

export function cpu1(read: ReadFile): CpuCounts | undefined {
  const usageNs = wholeNumber(read("cpuacct/cpuacct.usage"));
  if (usageNs === undefined) return undefined;
  const ticks = keyed(read("cpuacct/cpuacct.stat"));
  // No quota is -1, which is not a whole number; nothing is throttled then.
  const quotaUs = wholeNumber(read("cpu/cpu.cfs_quota_us"));
  const stat = keyed(quotaUs === undefined ? "" : read("cpu/cpu.stat"));
  return {
    usageNs,
    userNs: (ticks.get("user") ?? 0n) * TICK_NS,
    systemNs: (ticks.get("system") ?? 0n) * TICK_NS,
    ...optional("shares", wholeNumber(read("cpu/cpu.shares"))),
    ...optional("periodUs", wholeNumber(read("cpu/cpu.cfs_period_us"))),
    ...optional("quotaUs", quotaUs),
    periods: stat.get("nr_periods") ?? 0n,
    throttledPeriods: stat.get("nr_throttled") ?? 0n,
    throttledNs: stat.get("throttled_time") ?? 0n,
    burstPeriods: stat.get("nr_bursts") ?? 0n,
    burstNs: stat.get("burst_time") ?? 0n,
  };
}

export function cpu2(read: ReadFile): CpuCounts | undefined {
  const stat = keyed(read("cpu.stat"));
  const usage = stat.get("usage_usec");
  if (usage === undefined) return undefined;
  const [quota, period] = (read("cpu.max") ?? "").trim().split(" ");
  return {
    usageNs: usage * US,
    userNs: (stat.get("user_usec") ?? 0n) * US,
    systemNs: (stat.get("system_usec") ?? 0n) * US,
    ...optional("shares", sharesOf(wholeNumber(read("cpu.weight")))),
    ...optional("periodUs", wholeNumber(period)),
    ...optional("quotaUs", wholeNumber(quota)),
    periods: stat.get("nr_periods") ?? 0n,
    throttledPeriods: stat.get("nr_throttled") ?? 0n,
    throttledNs: (stat.get("throttled_usec") ?? 0n) * US,
    burstPeriods: stat.get("nr_bursts") ?? 0n,
    burstNs: (stat.get("burst_usec") ?? 0n) * US,
  };
}

/** Compat: cadvisor's way back from a weight to shares. */
function sharesOf(weight: bigint | undefined): bigint | undefined {
  return weight === undefined
    ? undefined
    : 2n + ((weight - 1n) * 262142n) / 9999n;
}

export function memory1(read: ReadFile): MemoryCounts | undefined {
  const usageBytes = wholeNumber(read("memory/memory.usage_in_bytes"));
  if (usageBytes === undefined) return undefined;
  const stat = keyed(read("memory/memory.stat"));
  const of = (name: string) => stat.get(`total_${name}`) ?? 0n;
  const limit = limit1(read("memory/memory.limit_in_bytes"));
  const oom = keyed(read("memory/memory.oom_control")).get("oom_kill");
  return {
    usageBytes,
    workingSetBytes: without(usageBytes, of("inactive_file")),
    maxUsageBytes: wholeNumber(read("memory/memory.max_usage_in_bytes")) ?? 0n,
    rssBytes: of("rss"),
    cacheBytes: of("cache"),
    mappedFileBytes: of("mapped_file"),
    kernelBytes: wholeNumber(read("memory/memory.kmem.usage_in_bytes")) ?? 0n,
    activeFileBytes: of("active_file"),
    inactiveFileBytes: of("inactive_file"),
    pageFaults: of("pgfault"),
    majorPageFaults: of("pgmajfault"),
    failures: wholeNumber(read("memory/memory.failcnt")) ?? 0n,
    ...optional("limitBytes", limit),
    swapBytes: of("swap"),
    ...optional("swapLimitBytes", swapLimit1(read, limit)),
    ...optional("oomKills", oom),
  };
}

/** The file counts memory too; where that is not limited swap is not. */
function swapLimit1(
  read: ReadFile,
  limit: bigint | undefined,
): bigint | undefined {
  if (limit === undefined) return undefined;
  const both = limit1(read("memory/memory.memsw.limit_in_bytes"));
  return both === undefined ? undefined : without(both, limit);
}

function limit1(text: string | undefined): bigint | undefined {
  const value = wholeNumber(text);
  return value === undefined || value >= UNLIMITED ? undefined : value;
}

/** `meminfo` stands in at the root, which has no figures of its own. */
export function memory2(
  read: ReadFile,
  meminfo: ReadonlyMap<string, bigint> | undefined,
): MemoryCounts | undefined {
  const usageBytes = wholeNumber(read("memory.current")) ?? usedOf(meminfo);
  if (usageBytes === undefined) return undefined;
  const stat = keyed(read("memory.stat"));
  const of = (name: string) => stat.get(name) ?? 0n;
  const events = keyed(read("memory.events"));
  const own = keyed(read("memory.events.local") ?? read("memory.events"));
  // A cgroup that goes as a whole counts as one.
  const oomKills = own.get("oom_group_kill") || own.get("oom_kill");
  return {
    usageBytes,
    workingSetBytes: without(usageBytes, of("inactive_file")),
    maxUsageBytes: wholeNumber(read("memory.peak")) ?? 0n,
    rssBytes: of("anon"),
    cacheBytes: of("file"),
    mappedFileBytes: of("file_mapped"),
    kernelBytes: stat.get("kernel") ?? of("slab") + of("kernel_stack"),
    activeFileBytes: of("active_file"),
    inactiveFileBytes: of("inactive_file"),
    pageFaults: of("pgfault"),
    majorPageFaults: of("pgmajfault"),
    failures: events.get("max") ?? 0n,
    ...optional("limitBytes", wholeNumber(read("memory.max"))),
    ...optional("reservedBytes", wholeNumber(read("memory.min"))),
    swapBytes: wholeNumber(read("memory.swap.current")) ?? swapOf(meminfo),
    ...optional("swapLimitBytes", wholeNumber(read("memory.swap.max"))),
    ...optional("oomKills", oomKills),
  };
}

/** `Name: N kB` lines, in bytes. */
export function meminfo(text: string): ReadonlyMap<string, bigint> {
  const found = new Map<string, bigint>();
  for (
    const [, name, kib] of text.matchAll(/^(\w+(?:\(\w+\))?):\s+(\d+) kB$/gm)
  ) {
    if (name !== undefined) found.set(name, BigInt(kib ?? 0) * 1024n);
  }
  return found;
}

function usedOf(
  info: ReadonlyMap<string, bigint> | undefined,
): bigint | undefined {
  const total = info?.get("MemTotal");
  return total === undefined ? undefined : total - (info?.get("MemFree") ?? 0n);
}

function swapOf(info: ReadonlyMap<string, bigint> | undefined): bigint {
  return (info?.get("SwapTotal") ?? 0n) - (info?.get("SwapFree") ?? 0n);
}

export function pressure(text: string | undefined): Pressure | undefined {
  const lines = new Map<string, PressureLine>();
  const pattern =
    /^(some|full) avg10=([\d.]+) avg60=([\d.]+) avg300=([\d.]+) total=(\d+)$/gm;
  for (const [, kind, a, b, c, total] of (text ?? "").matchAll(pattern)) {
    lines.set(kind ?? "", {
      avg10: Number(a),
      avg60: Number(b),
      avg300: Number(c),
      totalUs: BigInt(total ?? 0),
    });
  }
  const some = lines.get("some");
  return some && { some, full: lines.get("full") ?? NO_STALL };
}

const NO_STALL: PressureLine = { avg10: 0, avg60: 0, avg300: 0, totalUs: 0n };

/** `devices`: `8:0` → `/dev/sda`. */
export function disks1(
  read: ReadFile,
  devices: ReadonlyMap<string, string>,
): DiskCounts[] {
  const bytes = operations(read("blkio/blkio.throttle.io_service_bytes"));
  if (bytes.size === 0) return [];
  const counts = operations(read("blkio/blkio.throttle.io_serviced"));
  return [...bytes].map(([id, of]) => ({
    ...identity(id, devices),
    readBytes: of.get("Read") ?? 0n,
    writeBytes: of.get("Write") ?? 0n,
    reads: counts.get(id)?.get("Read") ?? 0n,
    writes: counts.get(id)?.get("Write") ?? 0n,
  }));
}

/** `8:0 Read 123` lines, by device. */
function operations(
  text: string | undefined,
): Map<string, Map<string, bigint>> {
  const found = new Map<string, Map<string, bigint>>();
  for (const line of (text ?? "").split("\n")) {
    const [id = "", operation = "", count] = line.split(" ");
    const value = wholeNumber(count);
    if (!/^\d+:\d+$/.test(id) || value === undefined) continue;
    const of = found.get(id) ?? new Map<string, bigint>();
    found.set(id, of.set(operation, value));
  }
  return found;
}

/** `8:0 rbytes=1 wbytes=2 rios=3 wios=4 …` lines. */
export function disks2(
  read: ReadFile,
  devices: ReadonlyMap<string, string>,
): DiskCounts[] {
  return (read("io.stat") ?? "").split("\n").flatMap((line) => {
    const [id = "", ...pairs] = line.split(" ");
    if (!/^\d+:\d+$/.test(id)) return [];
    const of = keyed(pairs.map((pair) => pair.replace("=", " ")).join("\n"));
    return [{
      ...identity(id, devices),
      readBytes: of.get("rbytes") ?? 0n,
      writeBytes: of.get("wbytes") ?? 0n,
      reads: of.get("rios") ?? 0n,
      writes: of.get("wios") ?? 0n,
    }];
  });
}

function identity(id: string, devices: ReadonlyMap<string, string>) {
  const [major, minor] = id.split(":");
  return {
    major: Number(major),
    minor: Number(minor),
    device: devices.get(id) ?? "",
  };
}

/** `tree`: where version 1 has the files. */
export function tasks(read: ReadFile, tree: string) {
  const own = read(`${tree}cgroup.procs`);
  return {
    ...own === undefined
      ? {}
      : { ownProcesses: own.match(/^\d+$/gm)?.length ?? 0 },
    ...optional("processes", wholeNumber(read(`${tree}pids.current`))),
    ...optional("processLimit", wholeNumber(read(`${tree}pids.max`))),
  };
}

/** `/proc/diskstats`: `8:0` → `/dev/sda`. */
export function diskNames(text: string): ReadonlyMap<string, string> {
  const rows = text.split("\n").map((line) => line.trim().split(/\s+/));
  return new Map(
    rows.filter((row) => row.length > 3)
      .map(([major, minor, name]) => [`${major}:${minor}`, `/dev/${name}`]),
  );
}

function optional<Key extends string>(
  key: Key,
  value: bigint | undefined,
): Partial<Record<Key, bigint>>;
function optional(key: string, value: bigint | undefined) {
  return value === undefined ? {} : { [key]: value };
}
