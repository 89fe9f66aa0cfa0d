/**
 * The feature gates of kubelet 1.36 as a plain record, and what a configuration
 * makes of them. The result is passed around as data; nobody asks a registry.
 */
import type { SwitchMap } from "./kind_collection.ts";

interface Gate {
  readonly stage: "alpha" | "beta" | "ga" | "deprecated";
  readonly isOn: boolean;
  readonly isLocked: boolean;
}

const LOCKED_ON = { stage: "ga", isOn: true, isLocked: true } as const;
const GA = { stage: "ga", isOn: true, isLocked: false } as const;
const BETA_ON = { stage: "beta", isOn: true, isLocked: false } as const;
const BETA_OFF = { stage: "beta", isOn: false, isLocked: false } as const;
const ALPHA = { stage: "alpha", isOn: false, isLocked: false } as const;
const OLD_ON = { stage: "deprecated", isOn: true, isLocked: false } as const;
const OLD_OFF = { stage: "deprecated", isOn: false, isLocked: false } as const;
const OLD_LOCKED_ON = { ...OLD_ON, isLocked: true } as const;
const OLD_LOCKED_OFF = { ...OLD_OFF, isLocked: true } as const;

export const FEATURE_GATES = {
  AllowDNSOnlyNodeCSR: OLD_OFF,
  AuthorizePodWebsocketUpgradeCreatePermission: BETA_ON,
  CPUManagerPolicyAlphaOptions: ALPHA,
  CPUManagerPolicyBetaOptions: BETA_ON,
  CPUManagerPolicyOptions: LOCKED_ON,
  CRIListStreaming: ALPHA,
  CSIServiceAccountTokenSecrets: LOCKED_ON,
  CSIVolumeHealth: ALPHA,
  ChangeContainerStatusOnKubeletRestart: OLD_OFF,
  ClusterTrustBundle: BETA_OFF,
  ClusterTrustBundleProjection: BETA_OFF,
  ComponentFlagz: BETA_ON,
  ComponentStatusz: BETA_ON,
  ContainerCheckpoint: BETA_ON,
  ContainerRestartRules: BETA_ON,
  ContainerStopSignals: ALPHA,
  ContextualLogging: BETA_ON,
  CustomCPUCFSQuotaPeriod: GA,
  DRAConsumableCapacity: BETA_ON,
  DRADeviceBindingConditions: BETA_ON,
  DRADeviceTaints: BETA_ON,
  DRAExtendedResource: BETA_ON,
  DRANodeAllocatableResources: ALPHA,
  DRAPartitionableDevices: BETA_ON,
  DRAResourceClaimDeviceStatus: BETA_ON,
  DisableCPUQuotaWithExclusiveCPUs: OLD_ON,
  DisableNodeKubeProxyVersion: OLD_LOCKED_ON,
  DynamicResourceAllocation: LOCKED_ON,
  EnvFiles: BETA_ON,
  EventedPLEG: ALPHA,
  ExecProbeTimeout: LOCKED_ON,
  ExtendWebSocketsToKubelet: BETA_ON,
  GitRepoVolumeDriver: OLD_LOCKED_OFF,
  GracefulNodeShutdown: BETA_ON,
  GracefulNodeShutdownBasedOnPodPriority: BETA_ON,
  HostnameOverride: BETA_ON,
  ImageMaximumGCAge: LOCKED_ON,
  ImageVolume: LOCKED_ON,
  ImageVolumeWithDigest: ALPHA,
  InPlacePodLevelResourcesVerticalScaling: BETA_ON,
  InPlacePodVerticalScaling: LOCKED_ON,
  InPlacePodVerticalScalingExclusiveCPUs: ALPHA,
  InPlacePodVerticalScalingExclusiveMemory: ALPHA,
  InPlacePodVerticalScalingInitContainers: BETA_ON,
  KubeletCgroupDriverFromCRI: LOCKED_ON,
  KubeletCrashLoopBackOffMax: BETA_ON,
  KubeletEnsureSecretPulledImages: BETA_ON,
  KubeletFineGrainedAuthz: LOCKED_ON,
  KubeletInUserNamespace: ALPHA,
  KubeletPSI: LOCKED_ON,
  KubeletPodResourcesDynamicResources: LOCKED_ON,
  KubeletPodResourcesGet: LOCKED_ON,
  KubeletPodResourcesListUseActivePods: OLD_ON,
  KubeletRegistrationGetOnExistsOnly: OLD_OFF,
  KubeletSeparateDiskGC: BETA_ON,
  KubeletServiceAccountTokenForCredentialProviders: BETA_ON,
  KubeletTracing: LOCKED_ON,
  LocalStorageCapacityIsolationFSQuotaMonitoring: BETA_OFF,
  LoggingAlphaOptions: ALPHA,
  LoggingBetaOptions: BETA_ON,
  MemoryQoS: ALPHA,
  MutableCSINodeAllocatableCount: LOCKED_ON,
  NodeDeclaredFeatures: BETA_ON,
  NodeLogQuery: LOCKED_ON,
  NodeSwap: LOCKED_ON,
  PLEGOnDemandRelist: BETA_ON,
  PodAndContainerStatsFromCRI: ALPHA,
  PodCertificateRequest: BETA_OFF,
  PodLevelResourceManagers: ALPHA,
  PodLevelResources: BETA_ON,
  PodLifecycleSleepAction: LOCKED_ON,
  PodLifecycleSleepActionAllowZero: LOCKED_ON,
  PodLogsQuerySplitStreams: ALPHA,
  PodObservedGenerationTracking: LOCKED_ON,
  PodReadyToStartContainersCondition: BETA_ON,
  PodsAPI: ALPHA,
  PortForwardWebsockets: BETA_ON,
  PreventStaticPodAPIReferences: BETA_ON,
  ProcMountType: LOCKED_ON,
  QOSReserved: ALPHA,
  RecoverVolumeExpansionFailure: LOCKED_ON,
  RecursiveReadOnlyMounts: LOCKED_ON,
  ReduceDefaultCrashLoopBackOffDecay: ALPHA,
  RelaxedDNSSearchValidation: LOCKED_ON,
  RelaxedEnvironmentVariableValidation: LOCKED_ON,
  ReloadKubeletClientCAFile: BETA_ON,
  ReloadKubeletServerCertificateFile: BETA_ON,
  ResourceHealthStatus: BETA_ON,
  ResourceHealthStatusMessage: BETA_ON,
  RestartAllContainersOnContainerExits: BETA_ON,
  RotateKubeletServerCertificate: BETA_ON,
  RuntimeClassInImageCriAPI: ALPHA,
  SELinuxChangePolicy: LOCKED_ON,
  SELinuxMount: BETA_OFF,
  SELinuxMountReadWriteOncePod: LOCKED_ON,
  ServiceAccountNodeAudienceRestriction: BETA_ON,
  SidecarContainers: LOCKED_ON,
  SupplementalGroupsPolicy: LOCKED_ON,
  SystemdWatchdog: LOCKED_ON,
  TaintTolerationComparisonOperators: ALPHA,
  TopologyManagerPolicyAlphaOptions: ALPHA,
  TopologyManagerPolicyBetaOptions: BETA_ON,
  TopologyManagerPolicyOptions: LOCKED_ON,
  UserNamespacesHostNetworkSupport: ALPHA,
  UserNamespacesSupport: LOCKED_ON,
  VolumeAttributesClass: LOCKED_ON,
  WindowsGracefulNodeShutdown: BETA_ON,
} as const;

export type FeatureName = keyof typeof FEATURE_GATES;

/** Which features are on; complete. */
export type Features = Readonly<Record<FeatureName, boolean>>;

/** A gate that works only together with others. */
const NEEDS: readonly (readonly [FeatureName, readonly FeatureName[]])[] = [
  [
    "RestartAllContainersOnContainerExits",
    ["ContainerRestartRules", "NodeDeclaredFeatures"],
  ],
  [
    "InPlacePodLevelResourcesVerticalScaling",
    ["InPlacePodVerticalScaling", "PodLevelResources", "NodeDeclaredFeatures"],
  ],
  [
    "InPlacePodVerticalScalingInitContainers",
    ["InPlacePodVerticalScaling", "NodeDeclaredFeatures"],
  ],
  ["GracefulNodeShutdownBasedOnPodPriority", ["GracefulNodeShutdown"]],
  ["ResourceHealthStatus", ["DynamicResourceAllocation"]],
  ["PodLevelResourceManagers", ["PodLevelResources"]],
  ["ImageVolumeWithDigest", ["ImageVolume"]],
];

export interface GateOutcome {
  readonly features: Features;
  /** Gates this version does not have, sorted. */
  readonly unknown: readonly string[];
  /** GA and deprecated gates that were set, sorted. */
  readonly fixed: readonly string[];
  /** Why the gates cannot be used, one line each. */
  readonly problems: readonly string[];
}

/**
 * What `gates` make of the defaults. `AllAlpha` and `AllBeta` switch every gate
 * of that stage that is not named itself.
 * Compat: component-base 0.36 featureGate.SetFromMap, Validate
 */
export function applyGates(gates: SwitchMap): GateOutcome {
  const unknown: string[] = [];
  const fixed: string[] = [];
  const problems: string[] = [];
  const features = gateDefaults(gates);
  for (const [name, isOn] of gates) {
    if (name === "AllAlpha" || name === "AllBeta") continue;
    if (!isFeature(name)) {
      unknown.push(name);
      continue;
    }
    const gate: Gate = FEATURE_GATES[name];
    if (gate.isLocked && gate.isOn !== isOn) {
      problems.push(`feature gate ${name} is locked to ${gate.isOn}`);
    }
    if (gate.stage === "ga" || gate.stage === "deprecated") fixed.push(name);
    features[name] = isOn;
  }
  for (const [name, others] of NEEDS) {
    const missing = features[name]
      ? others.find((o) => !features[o])
      : undefined;
    if (missing !== undefined) {
      problems.push(`feature gate ${name} needs ${missing}`);
    }
  }
  return { features, unknown: unknown.sort(), fixed: fixed.sort(), problems };
}

export function isFeature(name: string): name is FeatureName {
  return Object.hasOwn(FEATURE_GATES, name);
}

/**
 * Each gate with its stage as metrics tell it.
 * Compat: component-base 0.36: what is finished has none.
 */
export function gateStages(): readonly (readonly [string, string])[] {
  return Object.entries(FEATURE_GATES).map(([name, { stage }]) =>
    [name, stage === "ga" ? "" : stage.toUpperCase()] as const
  );
}

function gateDefaults(gates: SwitchMap): Record<FeatureName, boolean> {
  const all = { alpha: gates.get("AllAlpha"), beta: gates.get("AllBeta") };
  const features: Partial<Record<FeatureName, boolean>> = {};
  for (const name of Object.keys(FEATURE_GATES)) {
    if (!isFeature(name)) continue;
    const { stage, isOn }: Gate = FEATURE_GATES[name];
    const set = stage === "alpha" || stage === "beta" ? all[stage] : undefined;
    features[name] = set ?? isOn;
  }
  if (!isComplete(features)) throw new Error("A feature gate has no value");
  return features;
}

function isComplete(
  features: Partial<Record<FeatureName, boolean>>,
): features is Record<FeatureName, boolean> {
  return Object.keys(FEATURE_GATES).every((name) =>
    Object.hasOwn(features, name)
  );
}
