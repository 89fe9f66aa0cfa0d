/**
 * What the inside needs from a container runtime. The terms are ours, not
 * protobuf's; `lib/cri` translates. Every promise below is checked by
 * `tests/contract/runtime_contract.ts` on the fake and on a real containerd.
 *
 * General contract: a call rejects with an `AgentError` whose `next` tells what
 * to do; it rejects with the signal's reason when `signal` aborts; it never
 * hangs, because the adapter gives each call a deadline of its own.
 */
import type { ContainerId, PodUid, SandboxId } from "../api/id.ts";

export interface RuntimeVersion {
  /** `containerd`, `cri-o`, … */
  readonly name: string;
  readonly version: string;
  readonly apiVersion: string;
}

export interface RuntimeCondition {
  readonly isMet: boolean;
  readonly reason: string;
  readonly message: string;
}

export interface RuntimeHandler {
  /** Empty for the default handler. */
  readonly name: string;
  readonly hasRecursiveReadOnlyMounts: boolean;
  readonly hasUserNamespaces: boolean;
}

export interface RuntimeStatus {
  /** Condition `RuntimeReady`. */
  readonly runtime: RuntimeCondition;
  /** Condition `NetworkReady`. */
  readonly network: RuntimeCondition;
  readonly handlers: readonly RuntimeHandler[];
  readonly hasSupplementalGroupsPolicy: boolean;
}

export type NamespaceMode = "pod" | "container" | "node" | "target";
export type Protocol = "TCP" | "UDP" | "SCTP";

export interface PortMapping {
  readonly protocol: Protocol;
  readonly containerPort: number;
  readonly hostPort: number;
  /** Empty means every address. */
  readonly hostIp: string;
}

export interface DnsConfig {
  readonly servers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

export interface IdMapping {
  readonly hostId: number;
  readonly containerId: number;
  readonly length: number;
}

export interface Namespaces {
  readonly network: NamespaceMode;
  readonly pid: NamespaceMode;
  readonly ipc: NamespaceMode;
  /** The container whose PID namespace is joined, with `pid: "target"`. */
  readonly targetId?: ContainerId;
  /** Absent: the host's user namespace. */
  readonly user?: {
    readonly uids: readonly IdMapping[];
    readonly gids: readonly IdMapping[];
  };
}

export type SecurityProfile =
  | { readonly kind: "runtime-default" }
  | { readonly kind: "unconfined" }
  | { readonly kind: "localhost"; readonly ref: string };

export interface SelinuxOptions {
  readonly user: string;
  readonly role: string;
  readonly type: string;
  readonly level: string;
}

export interface SandboxSecurity {
  readonly namespaces: Namespaces;
  readonly isPrivileged: boolean;
  readonly isRootReadOnly: boolean;
  readonly runAsUser?: bigint;
  readonly runAsGroup?: bigint;
  readonly supplementalGroups: readonly bigint[];
  readonly supplementalGroupsPolicy: "merge" | "strict";
  readonly seccomp: SecurityProfile;
  readonly apparmor?: SecurityProfile;
  readonly selinux?: SelinuxOptions;
}

/** Limits of one container or one pod; bytes and shares are exact. */
export interface LinuxResources {
  readonly cpuPeriodUs: bigint;
  /** 0: no quota. */
  readonly cpuQuotaUs: bigint;
  readonly cpuShares: bigint;
  /** 0: no limit. */
  readonly memoryLimitBytes: bigint;
  readonly oomScoreAdj: bigint;
  readonly cpusetCpus: string;
  readonly cpusetMems: string;
  readonly hugepageLimits: readonly {
    readonly pageSize: string;
    readonly limitBytes: bigint;
  }[];
  /** cgroup v2 files and values. */
  readonly unified: ReadonlyMap<string, string>;
  /** 0: unset; otherwise memory plus swap. */
  readonly memorySwapLimitBytes: bigint;
}

/** A sandbox as asked for. */
export interface SandboxSpec {
  readonly podName: string;
  readonly podNamespace: string;
  readonly podUid: PodUid;
  readonly attempt: number;
  readonly hostname: string;
  /** Absolute directory that container log paths are relative to. */
  readonly logDirectory: string;
  readonly dns?: DnsConfig;
  readonly portMappings: readonly PortMapping[];
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  readonly cgroupParent: string;
  readonly sysctls: ReadonlyMap<string, string>;
  readonly security: SandboxSecurity;
  readonly overhead?: LinuxResources;
  readonly resources?: LinuxResources;
  /** Empty: the runtime's default handler. */
  readonly runtimeHandler: string;
}

export type MountPropagation =
  | "private"
  | "host-to-container"
  | "bidirectional";

export interface ContainerMount {
  readonly containerPath: string;
  /** Empty for an image mount. */
  readonly hostPath: string;
  readonly isReadOnly: boolean;
  readonly isRecursiveReadOnly: boolean;
  readonly isSelinuxRelabelled: boolean;
  readonly propagation: MountPropagation;
  readonly uidMappings: readonly IdMapping[];
  readonly gidMappings: readonly IdMapping[];
  readonly image?: { readonly ref: string; readonly subPath: string };
}

export interface ContainerSecurity {
  readonly namespaces: Namespaces;
  readonly isPrivileged: boolean;
  readonly isRootReadOnly: boolean;
  readonly hasNoNewPrivileges: boolean;
  readonly addCapabilities: readonly string[];
  readonly dropCapabilities: readonly string[];
  readonly runAsUser?: bigint;
  readonly runAsUserName?: string;
  readonly runAsGroup?: bigint;
  readonly supplementalGroups: readonly bigint[];
  readonly supplementalGroupsPolicy: "merge" | "strict";
  readonly seccomp: SecurityProfile;
  readonly apparmor?: SecurityProfile;
  readonly selinux?: SelinuxOptions;
  readonly maskedPaths: readonly string[];
  readonly readonlyPaths: readonly string[];
}

/** A container as asked for. */
export interface ContainerSpec {
  readonly name: string;
  readonly attempt: number;
  /** What the runtime is told to run: the resolved image id or digest. */
  readonly imageRef: string;
  /** What the pod's author wrote. */
  readonly userImage: string;
  readonly runtimeHandler: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly workingDir: string;
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly mounts: readonly ContainerMount[];
  readonly devices: readonly {
    readonly containerPath: string;
    readonly hostPath: string;
    readonly permissions: string;
  }[];
  readonly cdiDevices: readonly string[];
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  /** Relative to the sandbox's log directory. */
  readonly logPath: string;
  readonly hasStdin: boolean;
  readonly isStdinOnce: boolean;
  readonly hasTty: boolean;
  readonly resources: LinuxResources;
  readonly security: ContainerSecurity;
  /** `SIGTERM`, …; absent: the image's own. */
  readonly stopSignal?: string;
}

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

/** Something happened to a pod. A hint to look, never a fact. */
export interface RuntimeEvent {
  readonly podUid: PodUid;
  readonly kind: "created" | "started" | "stopped" | "deleted";
  /** The sandbox's or a container's id. */
  readonly id: string;
  readonly atMs: number;
}

export interface ExecResult {
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly exitCode: number;
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

export interface StreamRequest {
  readonly containerId: ContainerId;
  readonly command: readonly string[];
  readonly hasTty: boolean;
  readonly hasStdin: boolean;
  readonly hasStdout: boolean;
  readonly hasStderr: boolean;
}

/** Restricts a listing; absent fields match everything. */
export interface ListFilter {
  /** Matches what carries it as label `io.kubernetes.pod.uid`. */
  readonly podUid?: PodUid;
  readonly sandboxId?: SandboxId;
  /** Containers only. */
  readonly state?: ContainerStateKind;
}

export interface ContainerRuntime {
  version(signal: AbortSignal): Promise<RuntimeVersion>;
  status(signal: AbortSignal): Promise<RuntimeStatus>;
  /** Undefined when the runtime does not say. */
  cgroupDriver(
    signal: AbortSignal,
  ): Promise<"systemd" | "cgroupfs" | undefined>;
  setPodCidr(cidr: string, signal: AbortSignal): Promise<void>;

  listSandboxes(
    filter: ListFilter,
    signal: AbortSignal,
  ): Promise<readonly SandboxSummary[]>;
  /** Undefined when there is no such sandbox. */
  sandboxStatus(
    id: SandboxId,
    signal: AbortSignal,
  ): Promise<SandboxStatus | undefined>;
  /** Creates and starts a sandbox, network included. */
  runSandbox(spec: SandboxSpec, signal: AbortSignal): Promise<SandboxId>;
  /** Kills what still runs in it and takes its network down. Idempotent. */
  stopSandbox(id: SandboxId, signal: AbortSignal): Promise<void>;
  /** Removes it with its containers. Gone already is success. */
  removeSandbox(id: SandboxId, signal: AbortSignal): Promise<void>;

  listContainers(
    filter: ListFilter,
    signal: AbortSignal,
  ): Promise<readonly ContainerSummary[]>;
  /** Undefined when there is no such container. */
  containerStatus(
    id: ContainerId,
    signal: AbortSignal,
  ): Promise<ContainerStatus | undefined>;
  createContainer(
    request: {
      readonly sandboxId: SandboxId;
      readonly sandbox: SandboxSpec;
      readonly container: ContainerSpec;
    },
    signal: AbortSignal,
  ): Promise<ContainerId>;
  startContainer(id: ContainerId, signal: AbortSignal): Promise<void>;
  /**
   * Sends the stop signal, then kills after `graceSeconds` (0: at once).
   * Resolves when the process is gone. Gone already is success. The adapter's
   * deadline is the grace plus its ordinary one.
   */
  stopContainer(
    id: ContainerId,
    graceSeconds: number,
    signal: AbortSignal,
  ): Promise<void>;
  /** Removes an exited or created container. Gone already is success. */
  removeContainer(id: ContainerId, signal: AbortSignal): Promise<void>;
  /** Tells the runtime that a log file was renamed away. */
  reopenLog(id: ContainerId, signal: AbortSignal): Promise<void>;
  updateResources(
    id: ContainerId,
    resources: LinuxResources,
    signal: AbortSignal,
  ): Promise<void>;

  /**
   * Runs a command to its end; `timeoutSeconds` 0 means no limit. Rejects with
   * `retry` and reason `CommandTimedOut` when the limit passed.
   */
  execSync(
    request: {
      readonly id: ContainerId;
      readonly command: readonly string[];
      readonly timeoutSeconds: number;
    },
    signal: AbortSignal,
  ): Promise<ExecResult>;
  /** The runtime's streaming URL for `kubectl exec`. */
  execUrl(request: StreamRequest, signal: AbortSignal): Promise<string>;
  attachUrl(
    request: Omit<StreamRequest, "command">,
    signal: AbortSignal,
  ): Promise<string>;
  portForwardUrl(
    request: { readonly id: SandboxId; readonly ports: readonly number[] },
    signal: AbortSignal,
  ): Promise<string>;

  listContainerStats(
    filter: ListFilter,
    signal: AbortSignal,
  ): Promise<readonly ContainerStats[]>;

  /**
   * Events until `signal` aborts. Ends with an `AgentError`: `give-up` when
   * the runtime has no events, `retry` when the stream broke. There may be old
   * events at the beginning, and none for the end of a sandbox.
   */
  events(signal: AbortSignal): AsyncIterable<RuntimeEvent>;
}
