/** What of the configuration and the host each part of the agent needs. */
import type { Config } from "../config/load.ts";
import { parseResolvConf } from "../pod/dns.ts";
import type { PodSettings } from "../pod/facts.ts";
import type { RestartLimits } from "../pod/restart.ts";
import type { HostFacts } from "../port/host.ts";

export function podSettings(
  { kubelet, paths, nodeName, features }: Config,
  host: Pick<HostFacts, "memoryBytes">,
  resolvConf: string,
): PodSettings {
  return {
    nodeName,
    podLogsDir: paths.podLogsDir,
    containerLogsDir: paths.containerLogsDir,
    podsDir: `${paths.rootDir}/pods`,
    clusterDns: kubelet.clusterDNS,
    clusterDomain: kubelet.clusterDomain,
    hostDns: parseResolvConf(resolvConf),
    cgroupRoot: kubelet.cgroupRoot === "" ? "/" : kubelet.cgroupRoot,
    cgroupDriver: kubelet.cgroupDriver === "systemd" ? "systemd" : "cgroupfs",
    usesQosCgroups: kubelet.cgroupsPerQOS,
    cpuPeriodUs: kubelet.cpuCFSQuota
      ? BigInt(Math.round(kubelet.cpuCFSQuotaPeriod * 1000))
      : undefined,
    ...restartLimits(kubelet.crashLoopBackOff, features),
    gates: {
      hasRestartRules: features.ContainerRestartRules,
      mayRestartAll: features.RestartAllContainersOnContainerExits,
    },
    isSeccompDefault: kubelet.seccompDefault,
    seccompDir: `${paths.rootDir}/seccomp`,
    memoryBytes: host.memoryBytes(),
    allowedUnsafeSysctls: kubelet.allowedUnsafeSysctls,
  };
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

/** How the image runner pulls. */
export function imageOptions({ kubelet }: Config) {
  return {
    parallelPulls: kubelet.serializeImagePulls
      ? 1
      : kubelet.maxParallelImagePulls ?? Infinity,
    pullsPerSecond: kubelet.registryPullQPS,
    burst: kubelet.registryBurst,
  };
}

/** Undefined: a pod may use any image that the node has. */
export function verificationSettings({ kubelet, features }: Config) {
  const policy = kubelet.imagePullCredentialsVerificationPolicy;
  if (!features.KubeletEnsureSecretPulledImages || policy === "") {
    return undefined;
  }
  return { policy, allowlist: kubelet.preloadedImagesVerificationAllowlist };
}

/** Where manifests come from. */
export function sourceConfig({ kubelet, nodeName }: Config) {
  return {
    nodeName,
    staticPodPath: kubelet.staticPodPath,
    staticPodURL: kubelet.staticPodURL,
    staticPodURLHeader: kubelet.staticPodURLHeader,
    fileCheckFrequencyMs: kubelet.fileCheckFrequency,
    httpCheckFrequencyMs: kubelet.httpCheckFrequency,
  };
}

/** Where this node's certificates are, and how it comes by them. */
export function certificateSettings(
  { kubelet, flags, paths, nodeName }: Config,
) {
  return {
    nodeName,
    kubeconfig: flags.kubeconfig,
    bootstrapKubeconfig: flags.bootstrapKubeconfig,
    certDir: paths.certDir,
    rotateCertificates: kubelet.rotateCertificates,
    serverTLSBootstrap: kubelet.serverTLSBootstrap,
  };
}
