/** What of the configuration and the host the passes need. */
import { prefixed } from "../config/host_root.ts";
import { units } from "../api/quantity.ts";
import type { Config } from "../config/load.ts";
import { wholePercentage } from "../config/text_rules.ts";
import { reservation } from "../node/settings.ts";
import { parseResolvConf } from "../pod/dns.ts";
import type { PodSettings, RuntimeHealth } from "../pod/facts.ts";
import type { RestartLimits } from "../pod/restart.ts";
import { idPool, idsSetAside } from "../pod/userns.ts";
import type { HostFacts, NodeTexts } from "../port/host.ts";

const IDS_PER_POD = 65_536;

export function podSettings(
  config: Config,
  host: Pick<HostFacts, "memoryBytes" | "traits">,
): PodSettings {
  const { kubelet, paths, nodeName, hostRoot, features } = config;
  const machine = host.traits();
  return {
    nodeName,
    podLogsDir: paths.podLogsDir,
    containerLogsDir: paths.containerLogsDir,
    podsDir: `${paths.rootDir}/pods`,
    clusterDns: kubelet.clusterDNS,
    clusterDomain: kubelet.clusterDomain,
    resolvConf: kubelet.resolvConf,
    hostsPath: prefixed("/etc/hosts", hostRoot),
    // Read at each look; see `currentSettings()`.
    hostDns: parseResolvConf(""),
    nodeHosts: { kind: "text", text: "" },
    cgroupRoot: kubelet.cgroupRoot === "" ? "/" : kubelet.cgroupRoot,
    cgroupDriver: kubelet.cgroupDriver === "systemd" ? "systemd" : "cgroupfs",
    usesQosCgroups: kubelet.cgroupsPerQOS,
    cpuPeriodUs: kubelet.cpuCFSQuota
      ? BigInt(Math.round(kubelet.cpuCFSQuotaPeriod * 1000))
      : undefined,
    podPidsLimit: BigInt(kubelet.podPidsLimit),
    ...restartLimits(kubelet.crashLoopBackOff, features),
    gates: gatesOf(features),
    // Without the gates a static policy has its cpus and memory to itself.
    fixesCpus: kubelet.cpuManagerPolicy === "static" &&
      !features.InPlacePodVerticalScalingExclusiveCPUs,
    fixesMemory: kubelet.memoryManagerPolicy === "Static" &&
      !features.InPlacePodVerticalScalingExclusiveMemory,
    isSeccompDefault: kubelet.seccompDefault,
    hasStopSignals: features.ContainerStopSignals === true,
    seccompDir: `${paths.rootDir}/seccomp`,
    memoryBytes: host.memoryBytes(),
    allocatableMemoryBytes: allocatableMemory(config, host.memoryBytes()),
    memoryQos: features.MemoryQoS && machine.cgroupVersion === 2
      ? {
        isTiered: kubelet.memoryReservationPolicy === "TieredReservation",
        throttlingFactor: kubelet.memoryThrottlingFactor,
      }
      : undefined,
    memoryReservePercent: memoryReserve(config),
    machine,
    mayUseSwap: kubelet.memorySwap.swapBehavior === "LimitedSwap",
    // Compat: kubelet 1.36: unset means together where the kernel can.
    endsSingleProcess: kubelet.singleProcessOOMKill ??
      machine.cgroupVersion === 1,
    allowedUnsafeSysctls: kubelet.allowedUnsafeSysctls,
  };
}

function gatesOf(features: Config["features"]): PodSettings["gates"] {
  return {
    hasRestartRules: features.ContainerRestartRules,
    mayRestartAll: features.RestartAllContainersOnContainerExits,
    mayResizePods: features.InPlacePodLevelResourcesVerticalScaling,
    mayResizeInit: features.InPlacePodVerticalScalingInitContainers,
    hasHostnameOverride: features.HostnameOverride,
    hasEnvFiles: features.EnvFiles,
    hasPodResources: features.PodLevelResources,
    hasReadyToStart: features.PodReadyToStartContainersCondition,
  };
}

/** With what the node and the runtime say of themselves right now. */
export function currentSettings(
  { settings, nodeTexts }: {
    readonly settings: PodSettings;
    readonly nodeTexts: NodeTexts;
  },
  { cgroupDriver }: RuntimeHealth,
): PodSettings {
  const resolver = settings.resolvConf === ""
    ? { kind: "text", text: "" } as const
    : nodeTexts.read(settings.resolvConf);
  return {
    ...settings,
    // Compat: the runtime's cgroup driver wins over the configured one.
    ...cgroupDriver === undefined ? {} : { cgroupDriver },
    ...resolver.kind === "text"
      ? { hostDns: parseResolvConf(resolver.text) }
      : { hostDnsFault: resolver.message },
    nodeHosts: nodeTexts.read(settings.hostsPath),
  };
}

/** Who gets which ids for user namespaces. */
export function userIdOptions(
  { kubelet, paths, hostRoot }: Config,
  nodeTexts: NodeTexts,
) {
  const textOf = (path: string) => {
    const found = nodeTexts.read(prefixed(path, hostRoot));
    return found.kind === "text" ? found.text : "";
  };
  const setAside = idsSetAside(textOf("/etc/subuid"), textOf("/etc/subgid"));
  const idsPerPod = kubelet.userNamespaces.idsPerPod ?? IDS_PER_POD;
  return {
    podsDir: `${paths.rootDir}/pods`,
    pool: idPool(Number(idsPerPod), setAside),
  };
}

/** Compat: kubelet 1.36 GetNodeAllocatableAbsolute. */
function allocatableMemory(config: Config, memoryBytes: bigint): bigint {
  const { system, kube } = reservation(config);
  const kept = units(system.get("memory") ?? 0n) +
    units(kube.get("memory") ?? 0n);
  return kept > memoryBytes ? 0n : memoryBytes - kept;
}

/** Compat: kubelet 1.36 ParseQOSReserved; gate QOSReserved (alpha). */
function memoryReserve({ kubelet, features }: Config): bigint | undefined {
  const percent = kubelet.qosReserved.get("memory");
  return features.QOSReserved && percent !== undefined
    ? wholePercentage(percent)
    : undefined;
}

/** Compat: kubelet 1.36 newCrashLoopBackOff. */
function restartLimits(
  { maxContainerRestartPeriod }: Config["kubelet"]["crashLoopBackOff"],
  features: Config["features"],
): RestartLimits {
  const isReduced = features.ReduceDefaultCrashLoopBackOffDecay;
  return {
    firstRestartDelayMs: isReduced ? 1_000 : 10_000,
    longestRestartDelayMs: maxContainerRestartPeriod ??
      (isReduced ? 60_000 : 300_000),
  };
}
