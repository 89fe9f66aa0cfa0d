/** Sandboxes and containers as the runtime reports them. */
import type { ContainerId, PodUid, SandboxId } from "../api/id.ts";
import type {
  ContainerMount,
  LinuxResources,
  NamespaceMode,
  Namespaces,
} from "./runtime_spec.ts";

/** Name, namespace, uid and attempt under which a sandbox was made. */
export interface SandboxIdentity {
  readonly podName: string;
  readonly podNamespace: string;
  readonly podUid: PodUid;
  readonly attempt: number;
}

export interface SandboxSummary extends SandboxIdentity {
  readonly id: SandboxId;
  readonly isReady: boolean;
  /** Epoch milliseconds. */
  readonly createdAtMs: number;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  readonly runtimeHandler: string;
}

export interface SandboxStatus extends SandboxSummary {
  /** Every address, primary first; empty with host network. */
  readonly ips: readonly string[];
  readonly network: NamespaceMode;
  /** Absent: the host's user namespace. */
  readonly user?: NonNullable<Namespaces["user"]>;
}

export type ContainerStateKind = "created" | "running" | "exited" | "unknown";

export interface ContainerSummary {
  readonly id: ContainerId;
  readonly sandboxId: SandboxId;
  readonly name: string;
  readonly attempt: number;
  readonly imageRef: string;
  readonly state: ContainerStateKind;
  readonly createdAtMs: number;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
}

export interface ContainerStatus {
  readonly id: ContainerId;
  readonly name: string;
  readonly attempt: number;
  readonly state: ContainerStateKind;
  readonly createdAtMs: number;
  /** 0: not yet. */
  readonly startedAtMs: number;
  /** 0: not yet. */
  readonly finishedAtMs: number;
  readonly exitCode: number;
  /** The runtime's word: `Completed`, `Error`, `OOMKilled`, `StartError`… */
  readonly reason: string;
  readonly message: string;
  /** The image as the runtime names it to people. */
  readonly image: string;
  readonly imageRef: string;
  /** Local id of the image; garbage collection counts uses by it. */
  readonly imageId: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  readonly logPath: string;
  readonly mounts: readonly ContainerMount[];
  readonly resources?: LinuxResources;
  readonly user?: {
    readonly uid: bigint;
    readonly gid: bigint;
    readonly supplementalGroups: readonly bigint[];
  };
  readonly stopSignal?: string;
}

export interface CpuUsage {
  readonly atMs: number;
  /** Cumulative core nanoseconds. */
  readonly coreNanoseconds: bigint;
}

export interface MemoryUsage {
  readonly atMs: number;
  readonly workingSetBytes: bigint;
  readonly usageBytes: bigint;
  readonly rssBytes: bigint;
}

export interface FilesystemUsage {
  readonly atMs: number;
  readonly mountpoint: string;
  readonly usedBytes: bigint;
  readonly inodesUsed: bigint;
}

export interface ContainerStats {
  readonly id: ContainerId;
  readonly name: string;
  readonly podUid: PodUid;
  readonly cpu?: CpuUsage;
  readonly memory?: MemoryUsage;
  readonly writableLayer?: FilesystemUsage;
}
