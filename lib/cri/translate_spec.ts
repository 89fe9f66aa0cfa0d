/**
 * What we ask for, ours → wire: sandbox and container specs, listing filters,
 * and the pieces that also come back in statuses. Pure.
 */
import type { ImageAsk } from "../port/images.ts";
import type { ListFilter } from "../port/runtime.ts";
import type {
  ContainerMount,
  ContainerSecurity,
  ContainerSpec,
  IdMapping,
  LinuxResources,
  Namespaces,
  SandboxSecurity,
  SandboxSpec,
  SecurityProfile,
} from "../port/runtime_spec.ts";
import {
  CONTAINER_STATES,
  GROUP_POLICIES,
  int64Of,
  NAMESPACE_MODES,
  numberOf,
  POD_UID_LABEL,
  PROFILE_KINDS,
  PROPAGATIONS,
  PROTOCOLS,
  recordOf,
  SIGNALS,
  uint64Of,
  wrapped,
} from "./translate.ts";
import type * as wire from "./wire.ts";
import type * as container from "./wire_container.ts";
import type { ContainerStatsFilter } from "./wire_stats.ts";

export function sandboxConfig(spec: SandboxSpec): wire.PodSandboxConfig {
  return {
    metadata: {
      name: spec.podName,
      uid: spec.podUid,
      namespace: spec.podNamespace,
      attempt: spec.attempt,
    },
    hostname: spec.hostname,
    logDirectory: spec.logDirectory,
    dnsConfig: spec.dns ?? null,
    portMappings: spec.portMappings.map((port) => ({
      protocol: numberOf(PROTOCOLS, port.protocol),
      containerPort: port.containerPort,
      hostPort: port.hostPort,
      hostIp: port.hostIp,
    })),
    labels: recordOf(spec.labels),
    annotations: recordOf(spec.annotations),
    linux: {
      cgroupParent: spec.cgroupParent,
      securityContext: sandboxSecurity(spec.security),
      sysctls: recordOf(spec.sysctls),
      overhead: spec.overhead ? linuxResources(spec.overhead) : null,
      resources: spec.resources ? linuxResources(spec.resources) : null,
    },
  };
}

function sandboxSecurity(
  security: SandboxSecurity,
): wire.LinuxSandboxSecurityContext {
  return {
    namespaceOptions: namespaceOption(security.namespaces),
    selinuxOptions: security.selinux ?? null,
    runAsUser: wrapped(security.runAsUser),
    readonlyRootfs: security.isRootReadOnly,
    supplementalGroups: security.supplementalGroups.map(int64Of),
    privileged: security.isPrivileged,
    runAsGroup: wrapped(security.runAsGroup),
    seccomp: profile(security.seccomp),
    apparmor: profile(security.apparmor),
    supplementalGroupsPolicy: numberOf(
      GROUP_POLICIES,
      security.supplementalGroupsPolicy,
    ),
  };
}

export function containerConfig(
  spec: ContainerSpec,
): container.ContainerConfig {
  const utf8 = new TextEncoder();
  return {
    metadata: { name: spec.name, attempt: spec.attempt },
    image: {
      image: spec.imageRef,
      annotations: {},
      userSpecifiedImage: spec.userImage,
      runtimeHandler: spec.runtimeHandler,
      imageRef: "",
    },
    command: spec.command,
    args: spec.args,
    workingDir: spec.workingDir,
    envs: spec.env.map((variable) => ({
      key: variable.name,
      value: utf8.encode(variable.value),
    })),
    mounts: spec.mounts.map(mount),
    devices: spec.devices,
    labels: recordOf(spec.labels),
    annotations: recordOf(spec.annotations),
    logPath: spec.logPath,
    stdin: spec.hasStdin,
    stdinOnce: spec.isStdinOnce,
    tty: spec.hasTty,
    linux: {
      resources: linuxResources(spec.resources),
      securityContext: containerSecurity(spec.security),
    },
    CDIDevices: spec.cdiDevices.map((name) => ({ name })),
    stopSignal: numberOf(SIGNALS, spec.stopSignal ?? ""),
  };
}

function containerSecurity(
  security: ContainerSecurity,
): container.LinuxContainerSecurityContext {
  return {
    capabilities: {
      addCapabilities: security.addCapabilities,
      dropCapabilities: security.dropCapabilities,
      addAmbientCapabilities: [],
    },
    privileged: security.isPrivileged,
    namespaceOptions: namespaceOption(security.namespaces),
    selinuxOptions: security.selinux ?? null,
    runAsUser: wrapped(security.runAsUser),
    runAsUsername: security.runAsUserName ?? "",
    readonlyRootfs: security.isRootReadOnly,
    supplementalGroups: security.supplementalGroups.map(int64Of),
    noNewPrivs: security.hasNoNewPrivileges,
    runAsGroup: wrapped(security.runAsGroup),
    maskedPaths: security.maskedPaths,
    readonlyPaths: security.readonlyPaths,
    seccomp: profile(security.seccomp),
    apparmor: profile(security.apparmor),
    supplementalGroupsPolicy: numberOf(
      GROUP_POLICIES,
      security.supplementalGroupsPolicy,
    ),
  };
}

export function linuxResources(
  resources: LinuxResources,
): wire.LinuxContainerResources {
  return {
    cpuPeriod: int64Of(resources.cpuPeriodUs),
    cpuQuota: int64Of(resources.cpuQuotaUs),
    cpuShares: int64Of(resources.cpuShares),
    memoryLimitInBytes: int64Of(resources.memoryLimitBytes),
    oomScoreAdj: int64Of(resources.oomScoreAdj),
    cpusetCpus: resources.cpusetCpus,
    cpusetMems: resources.cpusetMems,
    hugepageLimits: resources.hugepageLimits.map((limit) => ({
      pageSize: limit.pageSize,
      limit: uint64Of(limit.limitBytes),
    })),
    unified: recordOf(resources.unified),
    memorySwapLimitInBytes: int64Of(resources.memorySwapLimitBytes),
  };
}

/**
 * Compat: kubelet 1.36 writes "no user namespace" as mode NODE rather than
 * leaving the message out.
 */
function namespaceOption(namespaces: Namespaces): wire.NamespaceOption {
  const { user } = namespaces;
  return {
    network: numberOf(NAMESPACE_MODES, namespaces.network),
    pid: numberOf(NAMESPACE_MODES, namespaces.pid),
    ipc: numberOf(NAMESPACE_MODES, namespaces.ipc),
    targetId: namespaces.targetId ?? "",
    usernsOptions: {
      mode: numberOf(NAMESPACE_MODES, user === undefined ? "node" : "pod"),
      uids: user?.uids ?? [],
      gids: user?.gids ?? [],
    },
  };
}

function profile(
  profile: SecurityProfile | undefined,
): wire.SecurityProfile | null {
  return profile === undefined ? null : {
    profileType: numberOf(PROFILE_KINDS, profile.kind),
    localhostRef: profile.kind === "localhost" ? profile.ref : "",
  };
}

function mount(mount: ContainerMount): container.Mount {
  return {
    containerPath: mount.containerPath,
    hostPath: mount.hostPath,
    readonly: mount.isReadOnly,
    selinuxRelabel: mount.isSelinuxRelabelled,
    propagation: numberOf(PROPAGATIONS, mount.propagation),
    uidMappings: mount.uidMappings.map(idMapping),
    gidMappings: mount.gidMappings.map(idMapping),
    recursiveReadOnly: mount.isRecursiveReadOnly,
    image: mount.image
      ? imageSpec({ image: mount.image.ref, runtimeHandler: "" })
      : null,
    imageSubPath: mount.image?.subPath ?? "",
  };
}

function idMapping(mapping: IdMapping): wire.IdMapping {
  return {
    hostId: mapping.hostId,
    containerId: mapping.containerId,
    length: mapping.length,
  };
}

export function imageSpec(
  { image, annotations = new Map(), runtimeHandler }: ImageAsk,
): wire.ImageSpec {
  return {
    image,
    annotations: recordOf(annotations),
    userSpecifiedImage: "",
    runtimeHandler,
    imageRef: "",
  };
}

/** Sandboxes of a pod are selected by label, like its containers. */
export function sandboxFilter(filter: ListFilter): wire.PodSandboxFilter {
  return {
    ...(filter.sandboxId === undefined ? {} : { id: filter.sandboxId }),
    ...podSelector(filter),
  };
}

export function containerFilter(
  filter: ListFilter,
): container.ContainerFilter {
  return {
    ...(filter.sandboxId === undefined
      ? {}
      : { podSandboxId: filter.sandboxId }),
    ...(filter.state === undefined
      ? {}
      : { state: { state: numberOf(CONTAINER_STATES, filter.state) } }),
    ...podSelector(filter),
  };
}

/** Statistics know no states. */
export function statsFilter(filter: ListFilter): ContainerStatsFilter {
  return {
    ...(filter.sandboxId === undefined
      ? {}
      : { podSandboxId: filter.sandboxId }),
    ...podSelector(filter),
  };
}

function podSelector(
  filter: ListFilter,
): { readonly labelSelector?: wire.StringMap } {
  return filter.podUid === undefined
    ? {}
    : { labelSelector: { [POD_UID_LABEL]: filter.podUid } };
}
