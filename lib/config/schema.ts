/**
 * The whole KubeletConfiguration v1beta1 as one table, and the type that follows
 * from it. Durations are milliseconds, maps are Maps, everything else is as
 * upstream has it.
 */
import { fieldsOf, isField, type Shape, type ValuesOf } from "./field.ts";
import { NODE_FIELDS } from "./schema_node.ts";
import { POD_FIELDS } from "./schema_pods.ts";
import { RESOURCE_FIELDS } from "./schema_resources.ts";
import { SERVER_FIELDS } from "./schema_server.ts";

export const KUBELET_SHAPE = {
  ...POD_FIELDS,
  ...SERVER_FIELDS,
  ...NODE_FIELDS,
  ...RESOURCE_FIELDS,
} as const;

/** The effective configuration: every field has its value. */
export type KubeletConfiguration = ValuesOf<typeof KUBELET_SHAPE>;

/** Every field by its dotted path, such as `logging.options.text.splitStream`. */
export const KUBELET_FIELDS = fieldsOf(KUBELET_SHAPE);

/**
 * The fields the agent acts on today; the rest is read, checked and reported,
 * and nothing more. Shrinks the warning of `loadConfig` as it grows.
 */
export const ACTED_ON: ReadonlySet<string> = new Set([
  "staticPodPath",
  "staticPodURL",
  "staticPodURLHeader",
  "fileCheckFrequency",
  "httpCheckFrequency",
  "podLogsDir",
  "containerLogMaxSize",
  "containerLogMaxFiles",
  "containerLogMaxWorkers",
  "containerLogMonitorInterval",
  "syncFrequency",
  "volumeStatsAggPeriod",
  "healthzPort",
  "healthzBindAddress",
  "registryPullQPS",
  "registryBurst",
  "serializeImagePulls",
  "maxParallelImagePulls",
  "imagePullCredentialsVerificationPolicy",
  "preloadedImagesVerificationAllowlist",
  "imageMinimumGCAge",
  "imageMaximumGCAge",
  "imageGCHighThresholdPercent",
  "imageGCLowThresholdPercent",
  "runtimeRequestTimeout",
  "containerRuntimeEndpoint",
  "makeIPTablesUtilChains",
  "imageServiceEndpoint",
  "crashLoopBackOff.maxContainerRestartPeriod",
  "clusterDNS",
  "clusterDomain",
  "resolvConf",
  "cgroupRoot",
  "cgroupDriver",
  "cgroupsPerQOS",
  "cpuCFSQuota",
  "cpuCFSQuotaPeriod",
  "podPidsLimit",
  "kernelMemcgNotification",
  "protectKernelDefaults",
  "failCgroupV1",
  "enforceNodeAllocatable",
  "systemReservedCgroup",
  "kubeReservedCgroup",
  "qosReserved",
  "memoryThrottlingFactor",
  "memoryReservationPolicy",
  "oomScoreAdj",
  "failSwapOn",
  "logging.format",
  "logging.verbosity",
  "seccompDefault",
  "featureGates",
  "registerNode",
  "registerWithTaints",
  "providerID",
  "nodeStatusUpdateFrequency",
  "nodeStatusReportFrequency",
  "nodeLeaseDurationSeconds",
  "nodeStatusMaxImages",
  "maxPods",
  "podsPerCore",
  "systemReserved",
  "kubeReserved",
  "reservedSystemCPUs",
  "enableControllerAttachDetach",
  "localStorageCapacityIsolation",
  "evictionHard",
  "evictionSoft",
  "evictionSoftGracePeriod",
  "evictionMinimumReclaim",
  "evictionPressureTransitionPeriod",
  "evictionMaxPodGracePeriod",
  "mergeDefaultEvictionSettings",
  "shutdownGracePeriod",
  "shutdownGracePeriodCriticalPods",
  "shutdownGracePeriodByPodPriority",
  "rotateCertificates",
  "serverTLSBootstrap",
  "kubeAPIQPS",
  "kubeAPIBurst",
  "eventRecordQPS",
  "streamingConnectionIdleTimeout",
  "eventBurst",
  "allowedUnsafeSysctls",
  "configMapAndSecretChangeDetectionStrategy",
  "memorySwap.swapBehavior",
  "singleProcessOOMKill",
  "userNamespaces.idsPerPod",
  "enableServer",
  "address",
  "port",
  "tlsCertFile",
  "tlsPrivateKeyFile",
  "tlsCipherSuites",
  "tlsMinVersion",
  "authentication.x509.clientCAFile",
  "authentication.webhook.enabled",
  "authentication.webhook.cacheTTL",
  "authentication.anonymous.enabled",
  "authorization.mode",
  "authorization.webhook.cacheAuthorizedTTL",
  "authorization.webhook.cacheUnauthorizedTTL",
  "enableDebuggingHandlers",
  "enableProfilingHandler",
  "enableDebugFlagsHandler",
  "enableSystemLogHandler",
  "enableSystemLogQuery",
  "kubeletCgroups",
  "systemCgroups",
  "volumeStatsAggPeriod",
]);

/**
 * The values of a table as the nested object its type says. `valueOf` is asked
 * once for each path.
 */
export function nested(
  shape: Shape,
  valueOf: (path: string) => unknown,
  prefix = "",
): { [key: string]: unknown } {
  const object: { [key: string]: unknown } = {};
  for (const [key, part] of Object.entries(shape)) {
    const path = prefix + key;
    object[key] = isField(part)
      ? valueOf(path)
      : nested(part, valueOf, `${path}.`);
  }
  return object;
}

/** Whether `value` is an object as the table describes, all fields present. */
export function fits<S extends Shape>(
  shape: S,
  value: unknown,
): value is ValuesOf<S> {
  if (typeof value !== "object" || value === null) return false;
  const found = new Map<string, unknown>(Object.entries(value));
  return Object.entries<Shape[string]>(shape).every(([key, part]) =>
    found.has(key) &&
    (isField(part)
      ? part.kind.holds(found.get(key))
      : fits(part, found.get(key)))
  );
}
