/**
 * A machine whose cgroups, file systems and trees a test sets. A cgroup that
 * was not set is not there.
 */
import type { Clock } from "../../lib/base/clock.ts";
import type {
  CgroupUse,
  FilesystemCounts,
  InterfaceCounts,
  MachineDisk,
  OwnUse,
  Usage,
  UseDetail,
} from "../../lib/port/usage.ts";

export const A_FILESYSTEM: FilesystemCounts = {
  capacityBytes: 1_000_000n,
  availableBytes: 600_000n,
  usedBytes: 300_000n,
  inodes: 1_000n,
  inodesFree: 900n,
  device: 1n,
};

const OWN: OwnUse = {
  virtualLimit: Infinity,
  receivedBytes: 0,
  sentBytes: 0,
  cpuSeconds: 1.5,
  residentBytes: 50_000_000,
  virtualBytes: 90_000_000,
  startedAtMs: 1_000,
  openFiles: 12,
  openFilesLimit: 1024,
  cgroup: "",
};

/** 1 s of processor time and 1 MiB of memory, unless it is said otherwise. */
export function aUse(
  atMs: number,
  own: { readonly cpuNs?: bigint } & Partial<CgroupUse> = {},
): CgroupUse {
  const { cpuNs: usageNs = 1_000_000_000n, ...rest } = own;
  return {
    atMs,
    cpu: {
      usageNs,
      userNs: usageNs / 2n,
      systemNs: usageNs / 2n,
      periods: 0n,
      throttledPeriods: 0n,
      throttledNs: 0n,
      burstPeriods: 0n,
      burstNs: 0n,
    },
    memory: {
      usageBytes: 1_048_576n,
      workingSetBytes: 1_000_000n,
      maxUsageBytes: 2_000_000n,
      rssBytes: 500_000n,
      cacheBytes: 400_000n,
      mappedFileBytes: 0n,
      kernelBytes: 0n,
      activeFileBytes: 0n,
      inactiveFileBytes: 48_576n,
      pageFaults: 3n,
      majorPageFaults: 1n,
      failures: 0n,
      swapBytes: 0n,
    },
    disks: [],
    pressure: {},
    ...rest,
  };
}

export class FakeUsage implements Usage {
  readonly #clock: Pick<Clock, "nowMs"> | undefined;
  readonly cgroups = new Map<string, CgroupUse>();
  /** First process of each cgroup. */
  readonly processIds = new Map<string, number>();
  /** By process; the host's at 1. */
  readonly networks = new Map<number, readonly InterfaceCounts[]>();
  readonly trees = new Map<
    string,
    { readonly usedBytes: bigint; readonly inodes: bigint }
  >();
  disks: readonly MachineDisk[] = [];
  filesystems = new Map<string, FilesystemCounts>();
  ownUse: OwnUse = OWN;

  /** With a clock everything is read just now; else when the test says. */
  constructor(clock?: Pick<Clock, "nowMs">) {
    this.#clock = clock;
  }

  cgroup(path: string, detail: UseDetail): Promise<CgroupUse | undefined> {
    const known = this.cgroups.get(path);
    const atMs = this.#clock?.nowMs() ?? known?.atMs ?? 0;
    const found = known && { ...known, atMs };
    if (found === undefined || detail === "everything") {
      return Promise.resolve(found);
    }
    const main = { ...found, disks: [] };
    return Promise.resolve(
      detail === "main" ? main : { ...main, pressure: {} },
    );
  }

  processOf(path: string): Promise<number | undefined> {
    return Promise.resolve(this.processIds.get(path));
  }

  network(pid = 1): Promise<readonly InterfaceCounts[] | undefined> {
    return Promise.resolve(this.networks.get(pid));
  }

  machineDisks(): Promise<readonly MachineDisk[]> {
    return Promise.resolve(this.disks);
  }

  filesystem(path: string): Promise<FilesystemCounts | undefined> {
    return Promise.resolve(this.filesystems.get(path));
  }

  tree(path: string, signal: AbortSignal) {
    return Promise.try(() => {
      signal.throwIfAborted();
      return this.trees.get(path) ?? { usedBytes: 0n, inodes: 0n };
    });
  }

  processes(): Promise<{ readonly count: bigint; readonly limit: bigint }> {
    return Promise.resolve({ count: 10n, limit: 1_000n });
  }

  own(): Promise<OwnUse> {
    return Promise.resolve(this.ownUse);
  }

  bootedAtMs(): Promise<number> {
    return Promise.resolve(0);
  }

  cgroupVersion(): Promise<1 | 2> {
    return Promise.resolve(2);
  }
}
