/** What the runtime tells us, wire → ours: listings, statuses, events. Pure. */
import { containerId, podUid, sandboxId } from "../api/id.ts";
import type {
  RuntimeCondition,
  RuntimeEvent,
  RuntimeStatus,
} from "../port/runtime.ts";
import type { ContainerMount, LinuxResources } from "../port/runtime_spec.ts";
import type {
  ContainerStatus,
  ContainerSummary,
  SandboxStatus,
  SandboxSummary,
} from "../port/runtime_status.ts";
import {
  bigintOf,
  CONTAINER_STATES,
  EVENT_KINDS,
  mapOf,
  millisecondsOf,
  NAMESPACE_MODES,
  PROPAGATIONS,
  SANDBOX_READY,
  SIGNALS,
  wordOf,
} from "./translate.ts";
import type * as wire from "./wire.ts";
import type * as container from "./wire_container.ts";

export function runtimeStatus(response: wire.StatusResponse): RuntimeStatus {
  const conditions = response.status?.conditions ?? [];
  return {
    runtime: runtimeCondition(conditions, "RuntimeReady"),
    network: runtimeCondition(conditions, "NetworkReady"),
    handlers: response.runtimeHandlers.map((handler) => ({
      name: handler.name,
      hasRecursiveReadOnlyMounts:
        handler.features?.recursiveReadOnlyMounts === true,
      hasUserNamespaces: handler.features?.userNamespaces === true,
    })),
    hasSupplementalGroupsPolicy:
      response.features?.supplementalGroupsPolicy === true,
  };
}

function runtimeCondition(
  conditions: readonly wire.RuntimeCondition[],
  type: string,
): RuntimeCondition {
  const found = conditions.find((condition) => condition.type === type);
  return found === undefined
    ? { isMet: false, reason: "Unknown", message: `no condition ${type}` }
    : { isMet: found.status, reason: found.reason, message: found.message };
}

export function sandboxSummary(sandbox: wire.PodSandbox): SandboxSummary {
  return {
    id: sandboxId(sandbox.id),
    podName: sandbox.metadata?.name ?? "",
    podNamespace: sandbox.metadata?.namespace ?? "",
    podUid: podUid(sandbox.metadata?.uid ?? ""),
    attempt: sandbox.metadata?.attempt ?? 0,
    isReady: sandbox.state === SANDBOX_READY,
    createdAtMs: millisecondsOf(sandbox.createdAt),
    labels: mapOf(sandbox.labels),
    annotations: mapOf(sandbox.annotations),
    runtimeHandler: sandbox.runtimeHandler,
  };
}

export function sandboxStatus(status: wire.PodSandboxStatus): SandboxStatus {
  const { network } = status;
  const ips = network === null
    ? []
    : [network.ip, ...network.additionalIps.map((each) => each.ip)];
  const options = status.linux?.namespaces?.options;
  const mode = options?.network ?? 0;
  const { uids = [], gids = [] } = options?.usernsOptions ?? {};
  return {
    ...sandboxSummary(status),
    ips: ips.filter((ip) => ip !== ""),
    network: wordOf(NAMESPACE_MODES, mode, "pod"),
    ...uids.length === 0 ? {} : { user: { uids, gids } },
  };
}

export function containerSummary(
  summary: container.Container,
): ContainerSummary {
  return {
    id: containerId(summary.id),
    sandboxId: sandboxId(summary.podSandboxId),
    name: summary.metadata?.name ?? "",
    attempt: summary.metadata?.attempt ?? 0,
    imageRef: summary.imageRef,
    state: wordOf(CONTAINER_STATES, summary.state, "unknown"),
    createdAtMs: millisecondsOf(summary.createdAt),
    labels: mapOf(summary.labels),
    annotations: mapOf(summary.annotations),
  };
}

export function containerStatus(
  status: container.ContainerStatus,
): ContainerStatus {
  const linux = status.resources?.linux ?? null;
  const user = status.user?.linux ?? null;
  const signal = SIGNALS[status.stopSignal] ?? "";
  return {
    id: containerId(status.id),
    name: status.metadata?.name ?? "",
    attempt: status.metadata?.attempt ?? 0,
    state: wordOf(CONTAINER_STATES, status.state, "unknown"),
    createdAtMs: millisecondsOf(status.createdAt),
    startedAtMs: millisecondsOf(status.startedAt),
    finishedAtMs: millisecondsOf(status.finishedAt),
    exitCode: status.exitCode,
    reason: status.reason,
    message: status.message,
    image: status.image?.image ?? "",
    imageRef: status.imageRef,
    // Runtimes older than 1.30 have no image id of their own.
    imageId: status.imageId === "" ? status.imageRef : status.imageId,
    labels: mapOf(status.labels),
    annotations: mapOf(status.annotations),
    logPath: status.logPath,
    mounts: status.mounts.map(containerMount),
    ...(linux === null ? {} : { resources: linuxResources(linux) }),
    ...(user === null ? {} : {
      user: {
        uid: bigintOf(user.uid),
        gid: bigintOf(user.gid),
        supplementalGroups: user.supplementalGroups.map(bigintOf),
      },
    }),
    ...(signal === "" ? {} : { stopSignal: signal }),
  };
}

function containerMount(mount: container.Mount): ContainerMount {
  return {
    containerPath: mount.containerPath,
    hostPath: mount.hostPath,
    isReadOnly: mount.readonly,
    isRecursiveReadOnly: mount.recursiveReadOnly,
    isSelinuxRelabelled: mount.selinuxRelabel,
    propagation: wordOf(PROPAGATIONS, mount.propagation, "private"),
    uidMappings: mount.uidMappings.map(idMapping),
    gidMappings: mount.gidMappings.map(idMapping),
    ...(mount.image === null
      ? {}
      : { image: { ref: mount.image.image, subPath: mount.imageSubPath } }),
  };
}

function idMapping(mapping: wire.IdMapping): wire.IdMapping {
  return {
    hostId: mapping.hostId,
    containerId: mapping.containerId,
    length: mapping.length,
  };
}

export function linuxResources(
  resources: wire.LinuxContainerResources,
): LinuxResources {
  return {
    cpuPeriodUs: bigintOf(resources.cpuPeriod),
    cpuQuotaUs: bigintOf(resources.cpuQuota),
    cpuShares: bigintOf(resources.cpuShares),
    memoryLimitBytes: bigintOf(resources.memoryLimitInBytes),
    oomScoreAdj: bigintOf(resources.oomScoreAdj),
    cpusetCpus: resources.cpusetCpus,
    cpusetMems: resources.cpusetMems,
    hugepageLimits: resources.hugepageLimits.map((limit) => ({
      pageSize: limit.pageSize,
      limitBytes: bigintOf(limit.limit),
    })),
    unified: mapOf(resources.unified),
    memorySwapLimitBytes: bigintOf(resources.memorySwapLimitInBytes),
  };
}

/**
 * Undefined when the event names no pod: containerd sends those after a
 * sandbox is gone, and a hint that says not where to look is none.
 */
export function runtimeEvent(
  event: container.ContainerEvent,
): RuntimeEvent | undefined {
  const uid = event.podSandboxStatus?.metadata?.uid ?? "";
  const kind = EVENT_KINDS[event.containerEventType];
  if (uid === "" || kind === undefined) return undefined;
  return {
    podUid: podUid(uid),
    kind,
    id: event.containerId,
    atMs: millisecondsOf(event.createdAt),
  };
}
