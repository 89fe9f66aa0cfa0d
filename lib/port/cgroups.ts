/**
 * What the inside needs of the machine's control groups, of either version.
 * Paths are those of the hierarchies: `/` is their root.
 */

/** What a cgroup may use; absent parts stay as they are. */
export interface CgroupValues {
  /** Weight against its siblings, in shares of version 1: 2 to 262144. */
  readonly cpuShares?: bigint;
  /** -1: no quota. */
  readonly cpuQuotaUs?: bigint;
  readonly cpuPeriodUs?: bigint;
  readonly memoryLimitBytes?: bigint;
  /** A limit below what is in use becomes what is in use. */
  readonly mayLimitToUse?: true;
  /** Never taken back from it; version 2 only. */
  readonly memoryMinBytes?: bigint;
  /** Taken back only when there is nothing else; version 2 only. */
  readonly memoryLowBytes?: bigint;
  readonly pidsLimit?: bigint;
  /** Bytes by the size of a page in bytes. */
  readonly hugePageLimits?: ReadonlyMap<bigint, bigint>;
}

/** A value that could not be set, and whether it may be later. */
export interface CgroupFault {
  /**
   * `forbidden`: the host does not let anybody here; `missing`: it has no such
   * controller; `in-use`: more is used than the limit would allow.
   */
  readonly kind: "forbidden" | "missing" | "in-use";
  /** The same for each cgroup that meets it: `memory.max: permission denied`. */
  readonly message: string;
}

/** What of a cgroup is not there; both empty: it is whole. */
export interface CgroupLack {
  /** Of the machine's, absolute. */
  readonly paths: readonly string[];
  /** Version 2: which its parent keeps back. */
  readonly controllers: readonly string[];
}

export interface Cgroups {
  /**
   * Sets values in every hierarchy that has a word in them; what is set
   * already is not written again. Parents and the cgroup itself are made, or
   * where it is missing it is left alone. What the host refuses is told and
   * the rest is set; a limit below what is in use is refused, so nothing is
   * ended by it. Rejects when it cannot be made for another reason.
   */
  apply(
    cgroupPath: string,
    values: CgroupValues,
    ifMissing: "make" | "leave",
  ): Promise<readonly CgroupFault[]>;
  /**
   * Removes a pod's cgroup in every hierarchy. Absent is success. Rejects
   * (`retry`) while processes are in it, which it ends where it can.
   */
  removePod(cgroupPath: string): Promise<void>;
  /** Names of the cgroups right below one, in any hierarchy. */
  childrenOf(cgroupPath: string): Promise<readonly string[]>;
  /**
   * What would have to be there for every limit to hold. The root, `/`, lacks
   * nothing.
   */
  lackOf(cgroupPath: string): Promise<CgroupLack>;
  /**
   * Moves processes into a cgroup, in every hierarchy in which they are
   * elsewhere. The cgroup and its parents are made. A process that has ended
   * is moved.
   */
  enter(
    cgroupPath: string,
    pids: readonly number[],
  ): Promise<readonly CgroupFault[]>;
  /** Those right in a cgroup, but for the kernel's own and the first one. */
  processesIn(cgroupPath: string): Promise<readonly number[]>;
}
