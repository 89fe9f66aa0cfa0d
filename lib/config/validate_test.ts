import assert from "node:assert/strict";
import { load, refusalOf } from "./load_fixture.ts";

const PLACE = /^\/etc\/node\/config\.yaml:\d+:\d+: /;

/** A document and what its one-line refusal must say behind the place. */
const REFUSED: readonly (readonly [string, RegExp])[] = [
  // Kinds.
  ["enableServer: 1", /enableServer: value 1 is not allowed: true or false$/],
  ['port: "1"', /port: value "1" is not allowed: a whole number/],
  ["port: 1.5", /port: value 1.5 is not allowed/],
  ["port: 3000000000", /port: value 3000000000 is not allowed/],
  [
    "maxOpenFiles: 9007199254740993",
    /value 9007199254740993 .* 9007199254740991/,
  ],
  ["syncFrequency: 10", /syncFrequency: value 10 is not allowed: a duration/],
  ["syncFrequency: 10x", /value "10x" is not allowed: a duration/],
  ["clusterDomain: 1", /clusterDomain: value 1 is not allowed: text/],
  ["clusterDNS: a", /clusterDNS: value "a" is not allowed: a list/],
  ["clusterDNS: [1]", /clusterDNS: value a list is not allowed/],
  ["evictionHard: {memory.available: 1}", /evictionHard: value a map/],
  ["featureGates: {A: x}", /featureGates: value a map/],
  ["authentication: true", /authentication: value true .* a map of its own/],
  [
    "authentication: {webhook: {enabled: x}}",
    /authentication\.webhook\.enabled: /,
  ],
  ["memoryThrottlingFactor: x", /memoryThrottlingFactor: .* a number/],
  ["registerWithTaints: [{key: a}]", /registerWithTaints: value a list/],
  ["cgroupDriver: x", /value "x" is not allowed: "cgroupfs", "systemd"/],
  ["authorization: {mode: RBAC}", /authorization\.mode: .*"AlwaysAllow"/],
  ["cpuManagerPolicy: x", /cpuManagerPolicy: /],
  ["memoryManagerPolicy: x", /memoryManagerPolicy: /],
  ["topologyManagerPolicy: x", /topologyManagerPolicy: /],
  ["topologyManagerScope: x", /topologyManagerScope: /],
  ["hairpinMode: x", /hairpinMode: /],
  ["memorySwap: {swapBehavior: x}", /memorySwap\.swapBehavior: /],
  ["configMapAndSecretChangeDetectionStrategy: x", /"Get", "Cache", "Watch"/],
  ["imagePullCredentialsVerificationPolicy: x", /VerificationPolicy: /],
  ["memoryReservationPolicy: x", /memoryReservationPolicy: /],
  ["logging: {format: x}", /logging\.format: /],
  // Ranges.
  [
    "port: -1",
    /port: value -1 is not allowed: a whole number from 1 to 65535$/,
  ],
  ["port: 65536", /from 1 to 65535$/],
  ["readOnlyPort: 65536", /readOnlyPort: .*from 0 to 65535$/],
  ["healthzPort: -1", /healthzPort: /],
  ["address: x", /address: value "x" is not allowed: an IP address/],
  ["healthzBindAddress: x", /healthzBindAddress: /],
  ["nodeLeaseDurationSeconds: -1", /nodeLeaseDurationSeconds: .*at least 1$/],
  ["eventBurst: -1", /eventBurst: /],
  ["eventRecordQPS: -1", /eventRecordQPS: /],
  ["registryBurst: -1", /registryBurst: /],
  ["registryPullQPS: -1", /registryPullQPS: /],
  ["kubeAPIBurst: -1", /kubeAPIBurst: /],
  ["kubeAPIQPS: -1", /kubeAPIQPS: /],
  ["nodeStatusMaxImages: -2", /nodeStatusMaxImages: /],
  ["maxOpenFiles: -1", /maxOpenFiles: /],
  ["maxPods: -1", /maxPods: /],
  ["podsPerCore: -1", /podsPerCore: /],
  ["oomScoreAdj: 1001", /oomScoreAdj: .*from -1000 to 1000$/],
  ["iptablesDropBit: 32", /iptablesDropBit: /],
  ["iptablesMasqueradeBit: 32", /iptablesMasqueradeBit: /],
  ["imageGCHighThresholdPercent: 101", /imageGCHighThresholdPercent: /],
  ["imageGCLowThresholdPercent: -1", /imageGCLowThresholdPercent: /],
  ["imageMinimumGCAge: -1s", /imageMinimumGCAge: value "-1s"/],
  ["imageMaximumGCAge: -1s", /imageMaximumGCAge: /],
  ["maxParallelImagePulls: 0", /maxParallelImagePulls: .*at least 1$/],
  ["containerLogMaxFiles: 1", /containerLogMaxFiles: .*at least 2$/],
  ["containerLogMaxWorkers: 0", /containerLogMaxWorkers: /],
  ["containerLogMonitorInterval: 2s", /containerLogMonitorInterval: .*3s$/],
  ["containerLogMaxSize: x", /containerLogMaxSize: .*"10Mi"$/],
  ["cpuCFSQuotaPeriod: 2s", /cpuCFSQuotaPeriod: .*from 1ms to 1s$/],
  ["cpuCFSQuotaPeriod: 0s", /cpuCFSQuotaPeriod: /],
  ["memoryThrottlingFactor: 1.1", /memoryThrottlingFactor: .*at most 1$/],
  ["memoryThrottlingFactor: 0", /memoryThrottlingFactor: /],
  ["crashLoopBackOff: {maxContainerRestartPeriod: 6m}", /from 1s to 5m$/],
  ["crashLoopBackOff: {maxContainerRestartPeriod: 0s}", /from 1s to 5m$/],
  ["shutdownGracePeriod: 500ms", /shutdownGracePeriod: /],
  ["shutdownGracePeriodCriticalPods: -1s", /CriticalPods: /],
  ["userNamespaces: {idsPerPod: 65537}", /userNamespaces\.idsPerPod: /],
  ["userNamespaces: {idsPerPod: 4294967296}", /idsPerPod: /],
  ["runOnce: true", /runOnce: value true .*no longer exists$/],
  ["syncFrequency: -1s", /syncFrequency: .*longer than 0/],
  ["fileCheckFrequency: -1s", /fileCheckFrequency: /],
  ["showHiddenMetricsForVersion: '1.30'", /1\.35/],
  ["tracing: {samplingRatePerMillion: -1}", /samplingRatePerMillion: /],
  ["tracing: {samplingRatePerMillion: 1000001}", /samplingRatePerMillion: /],
  ["tracing: {endpoint: 'dn%2s://localhost:4317'}", /tracing\.endpoint: /],
  ["tracing: {endpoint: 'ftp://x'}", /tracing\.endpoint: /],
  ["tlsCipherSuites: [NOPE]", /tlsCipherSuites: value \["NOPE"\]/],
  ["tlsMinVersion: '1.2'", /tlsMinVersion: .*VersionTLS12/],
  ["tlsCurvePreferences: [1]", /tlsCurvePreferences: /],
  ["podLogsDir: /a/../b", /podLogsDir: .*absolute path/],
  ["podLogsDir: /🧪", /podLogsDir: .*ASCII/],
  ["podCIDR: x", /podCIDR: /],
  ["reservedSystemCPUs: x", /reservedSystemCPUs: .*"0-3,7"$/],
  ["systemReserved: {gpu: '1'}", /systemReserved: /],
  ["kubeReserved: {cpu: '-1'}", /kubeReserved: /],
  ["qosReserved: {cpu: 1%}", /qosReserved: .*percentage from 0% to 100%$/],
  ["evictionHard: {nope.available: 1Gi}", /evictionHard: .*eviction signal/],
  ["evictionHard: {memory.available: '0'}", /evictionHard: /],
  ["evictionHard: {memory.available: 101%}", /evictionHard: /],
  ["evictionSoftGracePeriod: {memory.available: -1s}", /SoftGracePeriod: /],
  ["evictionMinimumReclaim: {memory.available: 0%}", /MinimumReclaim: /],
  ["reservedMemory: [{numaNode: 0, limits: {memory: 0}}]", /reservedMemory: /],
  ["reservedMemory: [{numaNode: 0, limits: {cpu: 1}}]", /reservedMemory: /],
  [
    "reservedMemory: [{limits: {memory: 1}}, {limits: {memory: 1}}]",
    /each once/,
  ],
  ["registerWithTaints: [{key: a, effect: Nope}]", /registerWithTaints: /],
  [
    "registerWithTaints: [{key: a, effect: NoExecute, timeAdded: x}]",
    /no timeAdded$/,
  ],
  [
    "enforceNodeAllocatable: [pods, pods]",
    /enforceNodeAllocatable: .*each once/,
  ],
  ["enforceNodeAllocatable: [none, pods]", /none stands alone$/],
  ["enforceNodeAllocatable: [x]", /enforceNodeAllocatable: /],
  ["preloadedImagesVerificationAllowlist: ['a:1']", /without tag/],
  ["logging: {vmodule: [{filePattern: 'a=b', verbosity: 1}]}", /vmodule: /],
  // Rules between fields.
  ["cgroupsPerQOS: false", /:3:1: enforceNodeAllocatable: needs cgroupsPerQOS/],
  ["imageGCHighThresholdPercent: 1", /:3:1: imageGCLowThresholdPercent: 80/],
  ["systemCgroups: /x", /systemCgroups: needs cgroupRoot$/],
  [
    "imageGCHighThresholdPercent: 50\nimageGCLowThresholdPercent: 50",
    /imageGCLowThresholdPercent: 50 must be less than/,
  ],
  [
    "imageMaximumGCAge: 1m",
    /imageMaximumGCAge: 1m0s must be more than .* 2m0s$/,
  ],
  [
    "serializeImagePulls: true\nmaxParallelImagePulls: 2",
    /maxParallelImagePulls: more than 1 needs serializeImagePulls: false$/,
  ],
  [
    "preloadedImagesVerificationAllowlist: [a/b]",
    /needs imagePullCredentialsVerificationPolicy/,
  ],
  [
    "shutdownGracePeriodCriticalPods: 10s",
    /CriticalPods: 10s must not be more than shutdownGracePeriod, which is 0s$/,
  ],
  [
    "shutdownGracePeriod: 10s\nshutdownGracePeriodByPodPriority: [{priority: 1}]",
    /shutdownGracePeriodByPodPriority: cannot be combined/,
  ],
  [
    "evictionSoft: {memory.available: 1Gi}",
    /evictionSoft: memory\.available needs a grace period/,
  ],
  [
    "reservedSystemCPUs: 0-3\nkubeReservedCgroup: /k",
    /reservedSystemCPUs: cannot be combined/,
  ],
  ["memoryReservationPolicy: TieredReservation", /feature gate MemoryQoS$/],
  [
    "enforceNodeAllocatable: [system-reserved]",
    /system-reserved needs systemReservedCgroup$/,
  ],
  [
    "enforceNodeAllocatable: [kube-reserved-compressible]",
    /: kube-reserved-compressible needs kubeReservedCgroup$/,
  ],
  [
    "enforceNodeAllocatable: [kube-reserved, kube-reserved-compressible]\n" +
    "kubeReservedCgroup: /k",
    /cannot be combined$/,
  ],
  [
    "enforceNodeAllocatable: [pods]\ncgroupsPerQOS: false",
    /enforceNodeAllocatable: needs cgroupsPerQOS: true$/,
  ],
  [
    "enableSystemLogQuery: true\nenableSystemLogHandler: false",
    /enableSystemLogQuery: needs enableSystemLogHandler: true$/,
  ],
  [
    "logging: {format: json, vmodule: [{filePattern: a, verbosity: 1}]}",
    /logging\.vmodule: is for the text format only$/,
  ],
  [
    "logging: {options: {json: {splitStream: true}}}",
    /logging\.options\.json\.splitStream: needs the feature gate Logging/,
  ],
  [
    "logging: {options: {text: {infoBufferSize: 64Ki}}}",
    /logging\.options\.text\.infoBufferSize: needs/,
  ],
  // Rules that ask a feature gate.
  [
    "serverTLSBootstrap: true\n" +
    "featureGates: {RotateKubeletServerCertificate: false}",
    /serverTLSBootstrap: needs the feature gate/,
  ],
  [
    "cpuCFSQuotaPeriod: 200ms\nfeatureGates: {CustomCPUCFSQuotaPeriod: false}",
    /cpuCFSQuotaPeriod: other than 100ms needs/,
  ],
  [
    "crashLoopBackOff: {maxContainerRestartPeriod: 3s}\n" +
    "featureGates: {KubeletCrashLoopBackOffMax: false}",
    /maxContainerRestartPeriod: must not be set/,
  ],
  [
    "imagePullCredentialsVerificationPolicy: AlwaysVerify\n" +
    "featureGates: {KubeletEnsureSecretPulledImages: false}",
    /VerificationPolicy: must not be set/,
  ],
  [
    "shutdownGracePeriod: 10s\nfeatureGates: {GracefulNodeShutdown: false, " +
    "GracefulNodeShutdownBasedOnPodPriority: false}",
    /shutdownGracePeriod: needs the feature gate GracefulNodeShutdown$/,
  ],
  [
    "shutdownGracePeriodByPodPriority: [{priority: 1}]\n" +
    "featureGates: {GracefulNodeShutdownBasedOnPodPriority: false}",
    /needs the feature gate GracefulNodeShutdownBasedOnPodPriority$/,
  ],
  [
    "featureGates: {NodeSwap: false}",
    /feature gate NodeSwap is locked to true$/,
  ],
];

Deno.test("validate() refuses what upstream refuses, in one line with place", () => {
  for (const [file, expected] of REFUSED) {
    const message = refusalOf([], { file });
    assert.match(message, PLACE, file);
    assert.match(message, expected, file);
    assert.ok(!message.includes("\n"), file);
  }
});

const ALLOWED: readonly string[] = [
  "port: 65535\nreadOnlyPort: 0\nhealthzPort: 0",
  "maxPods: 110.0\nmaxOpenFiles: 9007199254740991",
  "evictionHard: {memory.available: 0%, nodefs.available: 100%}",
  "evictionSoft: {memory.available: 10%}\n" +
  "evictionSoftGracePeriod: {memory.available: 0s}",
  "evictionSoft: {memory.available: 0%}",
  "maxParallelImagePulls: 1\nserializeImagePulls: true",
  "enforceNodeAllocatable: [none]\ncgroupsPerQOS: false",
  "enforceNodeAllocatable: []\ncgroupsPerQOS: false",
  "imageMinimumGCAge: 1ns",
  "volumeStatsAggPeriod: -1s",
  "shutdownGracePeriodByPodPriority: " +
  "[{priority: 0, shutdownGracePeriodSeconds: 10}]",
  "reservedMemory: [{numaNode: 0, limits: {memory: 1Gi, hugepages-2Mi: 5}}]",
  "tracing: {endpoint: 'localhost:4317', samplingRatePerMillion: 1000000}",
  "tlsCipherSuites: [TLS_RSA_WITH_AES_128_GCM_SHA256]\n" +
  "tlsMinVersion: VersionTLS13\ntlsCurvePreferences: [29, 4588]",
  "podCIDR: 10.0.0.0/24,fd00::/64",
  "imagePullCredentialsVerificationPolicy: NeverVerifyAllowlistedImages\n" +
  "preloadedImagesVerificationAllowlist: [registry:5000/a, docker.io/*]",
  "userNamespaces: {idsPerPod: 131072}",
  "memoryReservationPolicy: TieredReservation\nfeatureGates: {MemoryQoS: true}",
  "featureGates: {KubeletCrashLoopBackOffMax: false, " +
  "KubeletEnsureSecretPulledImages: false}",
];

Deno.test("validate() allows what upstream allows", () => {
  for (const file of ALLOWED) load([], { file });
});

Deno.test("validate() names the flag when the value came from one", () => {
  const lines = [
    [
      ["--port=0"],
      "--port: value 0 is not allowed: a whole number from 1 to 65535",
    ],
    [
      ["--system-cgroups=/x"],
      "--system-cgroups: systemCgroups: needs cgroupRoot",
    ],
    [
      ["--kube-reserved=gpu=1"],
      '--kube-reserved: value {"gpu":"1"} is not allowed: quantities that are ' +
      "not negative of cpu, memory, ephemeral-storage and pid",
    ],
  ] as const;
  for (const [argv, message] of lines) assert.equal(refusalOf(argv), message);
});

Deno.test("validate() lets a flag mend a value of the file", () => {
  const { config } = load(["--port=1"], { file: "port: 65536" });
  assert.equal(config.kubelet.port, 1);
});
