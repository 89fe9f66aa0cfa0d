/** What of the configuration is about images. */
import type { Config } from "../config/load.ts";

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

/** When images are removed. */
export function gcSettings({ kubelet }: Config) {
  return {
    highPercent: kubelet.imageGCHighThresholdPercent,
    lowPercent: kubelet.imageGCLowThresholdPercent,
    minAgeMs: kubelet.imageMinimumGCAge,
    maxAgeMs: kubelet.imageMaximumGCAge,
  };
}
