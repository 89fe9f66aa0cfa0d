/**
 * What the inside needs to know of the use of processor, memory and disks.
 * Everything is read afresh at each call, from the kernel's memory where
 * possible; nothing is sampled in the background.
 */

/** Nanoseconds since the cgroup was made, over all its tasks. */
export interface CpuCounts {
  readonly usageNs: bigint;
  readonly userNs: bigint;
  readonly systemNs: bigint;
  readonly shares?: bigint;
  readonly periodUs?: bigint;
  /** Absent: no quota; then the throttling counts mean nothing. */
  readonly quotaUs?: bigint;
  readonly periods: bigint;
  readonly throttledPeriods: bigint;
  readonly throttledNs: bigint;
  readonly burstPeriods: bigint;
  readonly burstNs: bigint;
}

/** Bytes, but for the counts of faults and failures. */
export interface MemoryCounts {
  readonly usageBytes: bigint;
  /** Usage without inactive file pages, never below 0. */
  readonly workingSetBytes: bigint;
  readonly maxUsageBytes: bigint;
  readonly rssBytes: bigint;
  readonly cacheBytes: bigint;
  readonly mappedFileBytes: bigint;
  readonly kernelBytes: bigint;
  readonly activeFileBytes: bigint;
  readonly inactiveFileBytes: bigint;
  readonly pageFaults: bigint;
  readonly majorPageFaults: bigint;
  readonly failures: bigint;
  /** Absent: no limit. */
  readonly limitBytes?: bigint;
  /** What it keeps when memory is short. Absent: version 1 has no such thing. */
  readonly reservedBytes?: bigint;
  readonly swapBytes: bigint;
  /** Of swap alone. Absent: no limit, or no swap accounting. */
  readonly swapLimitBytes?: bigint;
  /**
   * How often the kernel ended some of its own processes for want of memory;
   * absent where it does not count.
   */
  readonly oomKills?: bigint;
}

/** Of one kind of stall; averages are percents, the total microseconds. */
export interface PressureLine {
  readonly avg10: number;
  readonly avg60: number;
  readonly avg300: number;
  readonly totalUs: bigint;
}

export interface Pressure {
  readonly some: PressureLine;
  /** Zero where the kernel has none, as for the processor of the whole. */
  readonly full: PressureLine;
}

export interface DiskCounts {
  readonly major: number;
  readonly minor: number;
  /** `/dev/vda`; empty when the kernel does not tell. */
  readonly device: string;
  readonly readBytes: bigint;
  readonly writeBytes: bigint;
  readonly reads: bigint;
  readonly writes: bigint;
}

export interface CgroupUse {
  /** When it was read, epoch milliseconds. */
  readonly atMs: number;
  readonly cpu?: CpuCounts;
  readonly memory?: MemoryCounts;
  /** Tasks, those of cgroups below counted in. */
  readonly processes?: bigint;
  /** Absent: no limit. */
  readonly processLimit?: bigint;
  /** Processes of this cgroup itself, whatever number of tasks they have. */
  readonly ownProcesses?: number;
  readonly disks: readonly DiskCounts[];
  /** Only where the kernel has it (version 2, and switched on). */
  readonly pressure: {
    readonly cpu?: Pressure;
    readonly memory?: Pressure;
    readonly io?: Pressure;
  };
}

export interface InterfaceCounts {
  readonly name: string;
  readonly receivedBytes: bigint;
  readonly receivedPackets: bigint;
  readonly receivedErrors: bigint;
  readonly receivedDropped: bigint;
  readonly sentBytes: bigint;
  readonly sentPackets: bigint;
  readonly sentErrors: bigint;
  readonly sentDropped: bigint;
}

export interface FilesystemCounts {
  readonly capacityBytes: bigint;
  /** To whom is not root. */
  readonly availableBytes: bigint;
  readonly usedBytes: bigint;
  readonly inodes: bigint;
  readonly inodesFree: bigint;
  /** Equal for two paths of one file system. */
  readonly device: bigint;
}

/** What a block device has done since the boot. */
export interface DiskActivity {
  readonly reads: bigint;
  readonly readsMerged: bigint;
  readonly sectorsRead: bigint;
  readonly readMs: bigint;
  readonly writes: bigint;
  readonly writesMerged: bigint;
  readonly sectorsWritten: bigint;
  readonly writeMs: bigint;
  readonly inProgress: bigint;
  readonly busyMs: bigint;
  /** Time of every operation, those that overlap counted each. */
  readonly weightedMs: bigint;
}

/** A file system of the machine that lies on a block device. */
export interface MachineDisk {
  /** As it was mounted: `/dev/vda1`, `/dev/mapper/root`. */
  readonly device: string;
  readonly capacityBytes: bigint;
  readonly usedBytes: bigint;
  readonly inodes: bigint;
  readonly inodesFree: bigint;
  /** Absent: the kernel counts nothing under the device's number. */
  readonly activity?: DiskActivity;
}

/** What one process takes. */
export interface OwnUse {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly virtualBytes: number;
  /** Infinity: no limit. */
  readonly virtualLimit: number;
  /** Of its network namespace, over IP, since that was made. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly startedAtMs: number;
  readonly openFiles: number;
  /** Infinity: no limit. */
  readonly openFilesLimit: number;
  /** Below the root of every hierarchy; empty for the root itself. */
  readonly cgroup: string;
}

/**
 * Which counts are wanted: fewer are cheaper. `cpu-and-memory`: use, limits and
 * faults. `main`: processes and stalls as well. What was not wanted is absent
 * or 0 then.
 */
export type UseDetail = "cpu-and-memory" | "main" | "everything";

export interface Usage {
  /** `path` below the root of every hierarchy. Undefined: no such cgroup. */
  cgroup(path: string, detail: UseDetail): Promise<CgroupUse | undefined>;
  /** Any process of exactly this cgroup; undefined when there is none. */
  processOf(path: string): Promise<number | undefined>;
  /**
   * The interfaces in the network namespace of a process, but for loopback and
   * the host's ends of pods' cables; the host's namespace without a process. Undefined when the process is gone.
   */
  network(pid?: number): Promise<readonly InterfaceCounts[] | undefined>;
  /** Each file system on a block device once, however often it is mounted. */
  machineDisks(): Promise<readonly MachineDisk[]>;
  /** Undefined when nothing is there. */
  filesystem(path: string): Promise<FilesystemCounts | undefined>;
  /**
   * What a tree takes, hard links once, mounts below it left out. Works in
   * slices, so that a huge tree holds up nobody; rejects on abort.
   */
  tree(
    path: string,
    signal: AbortSignal,
  ): Promise<{ readonly usedBytes: bigint; readonly inodes: bigint }>;
  /** Of the whole machine. */
  processes(): Promise<{ readonly count: bigint; readonly limit: bigint }>;
  /** Of this agent's own process. */
  own(): Promise<OwnUse>;
  /** When the machine was started, epoch milliseconds. */
  bootedAtMs(): Promise<number>;
  /** 2 where there is one hierarchy, else 1. */
  cgroupVersion(): Promise<1 | 2>;
}
