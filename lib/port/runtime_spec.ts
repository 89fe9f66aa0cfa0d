/** Sandboxes and containers as the runtime is asked for them. */
import type { ContainerId, PodUid } from "../api/id.ts";

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
