/**
 * The shapes of CRI messages as protobufjs hands them over, for what
 * sandboxes, images and the runtime need; containers and usage have files of
 * their own. Field names are the camel case of those in `proto/runtime*.proto`.
 * A decoded message has every field: absent scalars are zero or empty, absent
 * messages are null. Windows-only and deprecated fields are left out.
 */

/** A 64-bit integer in two halves, as protobufjs reads and writes it. */
export interface Int64 {
  readonly low: number;
  readonly high: number;
  readonly unsigned: boolean;
}

/** Int64Value and UInt64Value. */
export interface Int64Value {
  readonly value: Int64;
}

export type StringMap = Readonly<Record<string, string>>;

// A type, not an interface: it also stands for "no fields at all".
export type Empty = Readonly<Record<string, never>>;

export interface VersionResponse {
  readonly version: string;
  readonly runtimeName: string;
  readonly runtimeVersion: string;
  readonly runtimeApiVersion: string;
}

export interface RuntimeCondition {
  readonly type: string;
  readonly status: boolean;
  readonly reason: string;
  readonly message: string;
}

export interface RuntimeHandler {
  readonly name: string;
  readonly features: {
    readonly recursiveReadOnlyMounts: boolean;
    readonly userNamespaces: boolean;
  } | null;
}

export interface StatusResponse {
  readonly status: { readonly conditions: readonly RuntimeCondition[] } | null;
  readonly info: StringMap;
  readonly runtimeHandlers: readonly RuntimeHandler[];
  readonly features: {
    readonly supplementalGroupsPolicy: boolean;
    readonly userNamespacesHostNetwork: boolean;
  } | null;
}

export interface RuntimeConfigResponse {
  readonly linux: { readonly cgroupDriver: number } | null;
}

export interface IdMapping {
  readonly hostId: number;
  readonly containerId: number;
  readonly length: number;
}

export interface NamespaceOption {
  readonly network: number;
  readonly pid: number;
  readonly ipc: number;
  readonly targetId: string;
  readonly usernsOptions: {
    readonly mode: number;
    readonly uids: readonly IdMapping[];
    readonly gids: readonly IdMapping[];
  } | null;
}

export interface SecurityProfile {
  readonly profileType: number;
  readonly localhostRef: string;
}

export interface SelinuxOption {
  readonly user: string;
  readonly role: string;
  readonly type: string;
  readonly level: string;
}

export interface LinuxContainerResources {
  readonly cpuPeriod: Int64;
  readonly cpuQuota: Int64;
  readonly cpuShares: Int64;
  readonly memoryLimitInBytes: Int64;
  readonly oomScoreAdj: Int64;
  readonly cpusetCpus: string;
  readonly cpusetMems: string;
  readonly hugepageLimits: readonly {
    readonly pageSize: string;
    readonly limit: Int64;
  }[];
  readonly unified: StringMap;
  readonly memorySwapLimitInBytes: Int64;
}

export interface PodSandboxMetadata {
  readonly name: string;
  readonly uid: string;
  readonly namespace: string;
  readonly attempt: number;
}

export interface LinuxSandboxSecurityContext {
  readonly namespaceOptions: NamespaceOption;
  readonly selinuxOptions: SelinuxOption | null;
  readonly runAsUser: Int64Value | null;
  readonly readonlyRootfs: boolean;
  readonly supplementalGroups: readonly Int64[];
  readonly privileged: boolean;
  readonly runAsGroup: Int64Value | null;
  readonly seccomp: SecurityProfile | null;
  readonly apparmor: SecurityProfile | null;
  readonly supplementalGroupsPolicy: number;
}

export interface PodSandboxConfig {
  readonly metadata: PodSandboxMetadata;
  readonly hostname: string;
  readonly logDirectory: string;
  readonly dnsConfig: {
    readonly servers: readonly string[];
    readonly searches: readonly string[];
    readonly options: readonly string[];
  } | null;
  readonly portMappings: readonly {
    readonly protocol: number;
    readonly containerPort: number;
    readonly hostPort: number;
    readonly hostIp: string;
  }[];
  readonly labels: StringMap;
  readonly annotations: StringMap;
  readonly linux: {
    readonly cgroupParent: string;
    readonly securityContext: LinuxSandboxSecurityContext;
    readonly sysctls: StringMap;
    readonly overhead: LinuxContainerResources | null;
    readonly resources: LinuxContainerResources | null;
  };
}

export interface SandboxRef {
  readonly podSandboxId: string;
}

export interface PodSandboxFilter {
  readonly id?: string;
  readonly state?: { readonly state: number };
  readonly labelSelector?: StringMap;
}

export interface PodSandbox {
  readonly id: string;
  readonly metadata: PodSandboxMetadata | null;
  readonly state: number;
  readonly createdAt: Int64;
  readonly labels: StringMap;
  readonly annotations: StringMap;
  readonly runtimeHandler: string;
}

export interface PodSandboxStatus extends PodSandbox {
  readonly network: {
    readonly ip: string;
    readonly additionalIps: readonly { readonly ip: string }[];
  } | null;
  readonly linux: {
    readonly namespaces: { readonly options: NamespaceOption | null } | null;
  } | null;
}

export interface UpdatePodSandboxResourcesRequest extends SandboxRef {
  readonly overhead: LinuxContainerResources | null;
  readonly resources: LinuxContainerResources | null;
}

export interface ImageSpec {
  readonly image: string;
  readonly annotations: StringMap;
  readonly userSpecifiedImage: string;
  readonly runtimeHandler: string;
  readonly imageRef: string;
}

export interface ImageFilter {
  readonly image: ImageSpec;
}

export interface Image {
  readonly id: string;
  readonly repoTags: readonly string[];
  readonly repoDigests: readonly string[];
  readonly size: Int64;
  readonly uid: Int64Value | null;
  readonly username: string;
  readonly spec: ImageSpec | null;
  readonly pinned: boolean;
}

export interface ImageStatusResponse {
  readonly image: Image | null;
  readonly info: StringMap;
}

export interface PullImageRequest {
  readonly image: ImageSpec;
  readonly auth: {
    readonly username: string;
    readonly password: string;
    readonly auth: string;
    readonly serverAddress: string;
    readonly identityToken: string;
    readonly registryToken: string;
  } | null;
  readonly sandboxConfig: PodSandboxConfig | null;
}
