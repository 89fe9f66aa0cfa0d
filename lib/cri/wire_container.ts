/** The shapes of CRI messages about containers; see `wire.ts` for the rules. */
import type {
  IdMapping,
  ImageSpec,
  Int64,
  Int64Value,
  LinuxContainerResources,
  NamespaceOption,
  PodSandboxConfig,
  PodSandboxStatus,
  SecurityProfile,
  SelinuxOption,
  StringMap,
} from "./wire.ts";

export interface ContainerMetadata {
  readonly name: string;
  readonly attempt: number;
}

export interface Mount {
  readonly containerPath: string;
  readonly hostPath: string;
  readonly readonly: boolean;
  readonly selinuxRelabel: boolean;
  readonly propagation: number;
  readonly uidMappings: readonly IdMapping[];
  readonly gidMappings: readonly IdMapping[];
  readonly recursiveReadOnly: boolean;
  readonly image: ImageSpec | null;
  readonly imageSubPath: string;
}

export interface LinuxContainerSecurityContext {
  readonly capabilities: {
    readonly addCapabilities: readonly string[];
    readonly dropCapabilities: readonly string[];
    readonly addAmbientCapabilities: readonly string[];
  };
  readonly privileged: boolean;
  readonly namespaceOptions: NamespaceOption;
  readonly selinuxOptions: SelinuxOption | null;
  readonly runAsUser: Int64Value | null;
  readonly runAsUsername: string;
  readonly readonlyRootfs: boolean;
  readonly supplementalGroups: readonly Int64[];
  readonly noNewPrivs: boolean;
  readonly runAsGroup: Int64Value | null;
  readonly maskedPaths: readonly string[];
  readonly readonlyPaths: readonly string[];
  readonly seccomp: SecurityProfile | null;
  readonly apparmor: SecurityProfile | null;
  readonly supplementalGroupsPolicy: number;
}

export interface ContainerConfig {
  readonly metadata: ContainerMetadata;
  readonly image: ImageSpec;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly workingDir: string;
  readonly envs: readonly {
    readonly key: string;
    readonly value: Uint8Array;
  }[];
  readonly mounts: readonly Mount[];
  readonly devices: readonly {
    readonly containerPath: string;
    readonly hostPath: string;
    readonly permissions: string;
  }[];
  readonly labels: StringMap;
  readonly annotations: StringMap;
  readonly logPath: string;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  readonly tty: boolean;
  readonly linux: {
    readonly resources: LinuxContainerResources;
    readonly securityContext: LinuxContainerSecurityContext;
  };
  readonly CDIDevices: readonly { readonly name: string }[];
  readonly stopSignal: number;
}

export interface CreateContainerRequest {
  readonly podSandboxId: string;
  readonly config: ContainerConfig;
  readonly sandboxConfig: PodSandboxConfig;
}

export interface ContainerRef {
  readonly containerId: string;
}

export interface StopContainerRequest extends ContainerRef {
  readonly timeout: Int64;
}

export interface UpdateContainerResourcesRequest extends ContainerRef {
  readonly linux: LinuxContainerResources;
  readonly annotations: StringMap;
}

export interface CheckpointContainerRequest extends ContainerRef {
  readonly location: string;
  readonly timeout: Int64;
}

export interface ContainerFilter {
  readonly id?: string;
  readonly state?: { readonly state: number };
  readonly podSandboxId?: string;
  readonly labelSelector?: StringMap;
}

export interface Container {
  readonly id: string;
  readonly podSandboxId: string;
  readonly metadata: ContainerMetadata | null;
  readonly image: ImageSpec | null;
  readonly imageRef: string;
  readonly state: number;
  readonly createdAt: Int64;
  readonly labels: StringMap;
  readonly annotations: StringMap;
  readonly imageId: string;
}

export interface ContainerStatus {
  readonly id: string;
  readonly metadata: ContainerMetadata | null;
  readonly state: number;
  readonly createdAt: Int64;
  readonly startedAt: Int64;
  readonly finishedAt: Int64;
  readonly exitCode: number;
  readonly image: ImageSpec | null;
  readonly imageRef: string;
  readonly reason: string;
  readonly message: string;
  readonly labels: StringMap;
  readonly annotations: StringMap;
  readonly mounts: readonly Mount[];
  readonly logPath: string;
  readonly resources: {
    readonly linux: LinuxContainerResources | null;
  } | null;
  readonly imageId: string;
  readonly user: {
    readonly linux: {
      readonly uid: Int64;
      readonly gid: Int64;
      readonly supplementalGroups: readonly Int64[];
    } | null;
  } | null;
  readonly stopSignal: number;
}

export interface ExecSyncRequest extends ContainerRef {
  readonly cmd: readonly string[];
  readonly timeout: Int64;
}

export interface ExecSyncResponse {
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly exitCode: number;
}

export interface AttachRequest extends ContainerRef {
  readonly stdin: boolean;
  readonly tty: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

export interface ExecRequest extends AttachRequest {
  readonly cmd: readonly string[];
}

export interface ContainerEvent {
  readonly containerId: string;
  readonly containerEventType: number;
  readonly createdAt: Int64;
  readonly podSandboxStatus: PodSandboxStatus | null;
  readonly containersStatuses: readonly ContainerStatus[];
}
