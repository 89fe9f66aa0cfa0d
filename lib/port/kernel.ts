/** What the kernel tells by itself, as soon as it happens. */

/** An amount of memory of one cgroup. */
export interface MemoryMark {
  /** Path below the root of the cgroups; `/` for the whole machine. */
  readonly cgroup: string;
  /** Of all that is in use, file pages included. */
  readonly usageBytes: bigint;
}

export interface KernelNews {
  /**
   * Resolves when the memory in use has passed one of the marks, up or down,
   * or when the machine stalls for want of memory: somebody should look.
   * Rejects with `give-up` where the kernel tells neither.
   */
  memoryPassed(
    marks: readonly MemoryMark[],
    signal: AbortSignal,
  ): Promise<void>;
  /**
   * Messages of the kernel's log, from now on, without their heads. Throws
   * with `give-up` where it may not be read.
   */
  log(signal: AbortSignal): AsyncIterable<string>;
}

/** What the kernel is set to, by names below /proc/sys: `vm/panic_on_oom`. */
export interface KernelSettings {
  /** A whole number; undefined: this kernel, or container, has no such one. */
  read(name: string): Promise<bigint | undefined>;
  /** Rejects with `give-up` where it may not be changed. */
  write(name: string, value: bigint): Promise<void>;
}
