/**
 * Every field's default against a table written down from the survey of kubelet
 * 1.36, not from the code: zeros and unset values stand in EMPTY.
 */
import assert from "node:assert/strict";
import { load } from "./load_fixture.ts";
import { KUBELET_FIELDS } from "./schema.ts";
import { effectiveJson } from "./setting.ts";

const DEFAULTS = {
  kind: "KubeletConfiguration",
  apiVersion: "kubelet.config.k8s.io/v1beta1",
  enableServer: true,
  podLogsDir: "/var/log/pods",
  syncFrequency: "1m0s",
  fileCheckFrequency: "20s",
  httpCheckFrequency: "20s",
  address: "0.0.0.0",
  port: 10250,
  authentication: {
    x509: {},
    webhook: { enabled: true, cacheTTL: "2m0s" },
    anonymous: { enabled: false },
  },
  authorization: {
    mode: "Webhook",
    webhook: { cacheAuthorizedTTL: "5m0s", cacheUnauthorizedTTL: "30s" },
  },
  registryPullQPS: 5,
  registryBurst: 10,
  imagePullCredentialsVerificationPolicy: "NeverVerifyPreloadedImages",
  eventRecordQPS: 50,
  eventBurst: 100,
  enableDebuggingHandlers: true,
  healthzPort: 10248,
  healthzBindAddress: "127.0.0.1",
  oomScoreAdj: -999,
  streamingConnectionIdleTimeout: "4h0m0s",
  nodeStatusUpdateFrequency: "10s",
  nodeStatusReportFrequency: "5m0s",
  nodeLeaseDurationSeconds: 40,
  imageMinimumGCAge: "2m0s",
  imageMaximumGCAge: "0s",
  imageGCHighThresholdPercent: 85,
  imageGCLowThresholdPercent: 80,
  volumeStatsAggPeriod: "1m0s",
  cgroupsPerQOS: true,
  cgroupDriver: "cgroupfs",
  cpuManagerPolicy: "none",
  cpuManagerReconcilePeriod: "10s",
  memoryManagerPolicy: "None",
  topologyManagerPolicy: "none",
  topologyManagerScope: "container",
  runtimeRequestTimeout: "2m0s",
  hairpinMode: "promiscuous-bridge",
  maxPods: 110,
  podPidsLimit: -1,
  resolvConf: "/etc/resolv.conf",
  cpuCFSQuota: true,
  cpuCFSQuotaPeriod: "100ms",
  nodeStatusMaxImages: 50,
  maxOpenFiles: 1000000,
  contentType: "application/vnd.kubernetes.protobuf",
  kubeAPIQPS: 50,
  kubeAPIBurst: 100,
  serializeImagePulls: true,
  evictionHard: {
    "memory.available": "100Mi",
    "nodefs.available": "10%",
    "nodefs.inodesFree": "5%",
    "imagefs.available": "15%",
    "imagefs.inodesFree": "5%",
  },
  evictionPressureTransitionPeriod: "5m0s",
  mergeDefaultEvictionSettings: false,
  enableControllerAttachDetach: true,
  makeIPTablesUtilChains: true,
  iptablesMasqueradeBit: 14,
  iptablesDropBit: 15,
  failSwapOn: true,
  memorySwap: {},
  containerLogMaxSize: "10Mi",
  containerLogMaxFiles: 5,
  containerLogMaxWorkers: 1,
  containerLogMonitorInterval: "10s",
  configMapAndSecretChangeDetectionStrategy: "Watch",
  enforceNodeAllocatable: ["pods"],
  volumePluginDir: "/usr/libexec/kubernetes/kubelet-plugins/volume/exec/",
  logging: {
    format: "text",
    flushFrequency: "5s",
    options: { text: { infoBufferSize: "0" }, json: { infoBufferSize: "0" } },
  },
  enableSystemLogHandler: true,
  enableSystemLogQuery: false,
  shutdownGracePeriod: "0s",
  shutdownGracePeriodCriticalPods: "0s",
  crashLoopBackOff: { maxContainerRestartPeriod: "5m0s" },
  enableProfilingHandler: true,
  enableDebugFlagsHandler: true,
  seccompDefault: false,
  memoryThrottlingFactor: 0.9,
  memoryReservationPolicy: "None",
  registerNode: true,
  localStorageCapacityIsolation: true,
  containerRuntimeEndpoint: "unix:///run/containerd/containerd.sock",
  failCgroupV1: true,
};

/** Fields whose default is nothing, and so stay out of the document. */
const EMPTY =
  `staticPodPath staticPodURL staticPodURLHeader readOnlyPort tlsCertFile
  tlsPrivateKeyFile tlsCipherSuites tlsMinVersion tlsCurvePreferences
  rotateCertificates serverTLSBootstrap authentication.x509.clientCAFile
  preloadedImagesVerificationAllowlist enableContentionProfiling clusterDomain
  clusterDNS kubeletCgroups systemCgroups cgroupRoot cpuManagerPolicyOptions
  singleProcessOOMKill reservedMemory topologyManagerPolicyOptions qosReserved
  podsPerCore podCIDR runOnce maxParallelImagePulls evictionSoft
  evictionSoftGracePeriod evictionMaxPodGracePeriod evictionMinimumReclaim
  protectKernelDefaults featureGates memorySwap.swapBehavior systemReserved
  kubeReserved reservedSystemCPUs showHiddenMetricsForVersion
  systemReservedCgroup kubeReservedCgroup allowedUnsafeSysctls providerID
  kernelMemcgNotification logging.verbosity logging.vmodule
  logging.options.text.splitStream logging.options.json.splitStream
  shutdownGracePeriodByPodPriority registerWithTaints tracing.endpoint
  tracing.samplingRatePerMillion imageServiceEndpoint userNamespaces.idsPerPod`
    .split(/\s+/);

/** The fields upstream types as pointers, where a zero is a value. */
const POINTERS =
  `enableServer registryPullQPS eventRecordQPS enableDebuggingHandlers
  healthzPort oomScoreAdj imageGCHighThresholdPercent
  imageGCLowThresholdPercent cgroupsPerQOS singleProcessOOMKill podPidsLimit
  resolvConf cpuCFSQuota cpuCFSQuotaPeriod nodeStatusMaxImages kubeAPIQPS
  serializeImagePulls maxParallelImagePulls mergeDefaultEvictionSettings
  enableControllerAttachDetach makeIPTablesUtilChains iptablesMasqueradeBit
  iptablesDropBit failSwapOn containerLogMaxFiles containerLogMaxWorkers
  containerLogMonitorInterval enableSystemLogHandler enableSystemLogQuery
  enableProfilingHandler enableDebugFlagsHandler seccompDefault
  memoryThrottlingFactor registerNode localStorageCapacityIsolation failCgroupV1
  authentication.webhook.enabled authentication.anonymous.enabled
  crashLoopBackOff.maxContainerRestartPeriod tracing.endpoint
  tracing.samplingRatePerMillion userNamespaces.idsPerPod`.split(/\s+/);

function leavesOf(value: object, prefix = ""): string[] {
  return Object.entries(value).flatMap(([key, item]) =>
    typeof item === "object" && !Array.isArray(item) && key !== "evictionHard"
      ? leavesOf(item, `${prefix}${key}.`)
      : [prefix + key]
  );
}

Deno.test("loadConfig() gives every field its v1beta1 default", () => {
  const { settings } = load([], { file: "" });
  const document = JSON.parse(JSON.stringify(effectiveJson(settings)));
  assert.deepEqual(document, DEFAULTS);
  for (const path of EMPTY) {
    const value = settings.get(path)?.value;
    const isEmpty = value === undefined || value === "" || value === 0 ||
      value === false || value instanceof Map && value.size === 0 ||
      Array.isArray(value) && value.length === 0;
    assert.ok(isEmpty, path);
  }
});

Deno.test("the table of fields has every upstream field and no other", () => {
  const known = [...leavesOf(DEFAULTS).slice(2), ...EMPTY].sort();
  assert.deepEqual([...KUBELET_FIELDS.keys()].sort(), known);
});

Deno.test("the table of fields knows where a zero is a value", () => {
  const pointers = [...KUBELET_FIELDS].filter(([, field]) => field.keepsZero);
  assert.deepEqual(pointers.map(([path]) => path).sort(), POINTERS.sort());
});

Deno.test("loadConfig() without --config keeps the legacy defaults", () => {
  const { config, settings } = load([]);
  assert.equal(config.kubelet.authentication.anonymous.enabled, true);
  assert.equal(config.kubelet.authentication.webhook.enabled, false);
  assert.equal(config.kubelet.authorization.mode, "AlwaysAllow");
  assert.equal(config.kubelet.readOnlyPort, 10255);
  assert.equal(config.kubelet.evictionHard.size, 0);
  assert.deepEqual(settings.get("readOnlyPort")?.origin, {
    kind: "legacy-default",
  });
  assert.equal(config.kubelet.syncFrequency, 60_000);
});

Deno.test("loadConfig() with --config-dir alone keeps the legacy base", () => {
  const { config } = load([], { dropIns: { "/d/1.conf": "port: 1\n" } });
  assert.equal(config.kubelet.readOnlyPort, 10255);
  assert.equal(config.kubelet.authorization.mode, "AlwaysAllow");
  assert.equal(config.kubelet.evictionHard.size, 0);
  assert.equal(config.kubelet.port, 1);
});

Deno.test("loadConfig() takes a zero as unset where upstream does", () => {
  const { config } = load([], {
    file: 'syncFrequency: 0s\nport: 0\naddress: ""\nmaxPods: 0\n' +
      'authorization: {mode: "", webhook: {cacheAuthorizedTTL: 0s}}\n' +
      "healthzPort: 0\nregistryPullQPS: 0\npodPidsLimit: -7\n" +
      'resolvConf: ""\nlogging: {flushFrequency: 0}\nclusterDNS: null\n',
  });
  assert.equal(config.kubelet.syncFrequency, 60_000);
  assert.equal(config.kubelet.port, 10250);
  assert.equal(config.kubelet.address, "0.0.0.0");
  assert.equal(config.kubelet.maxPods, 110);
  assert.equal(config.kubelet.authorization.mode, "Webhook");
  assert.equal(
    config.kubelet.authorization.webhook.cacheAuthorizedTTL,
    300_000,
  );
  assert.equal(config.kubelet.healthzPort, 0);
  assert.equal(config.kubelet.registryPullQPS, 0);
  assert.equal(config.kubelet.podPidsLimit, -1);
  assert.equal(config.kubelet.resolvConf, "");
  assert.equal(config.kubelet.logging.flushFrequency, 5_000);
});
