/** What of the configuration is about the sources of pods. */
import type { Config } from "../config/load.ts";

/** Where manifests come from. */
export function sourceConfig({ kubelet, nodeName, features }: Config) {
  return {
    nodeName,
    mayReference: !features.PreventStaticPodAPIReferences,
    staticPodPath: kubelet.staticPodPath,
    staticPodURL: kubelet.staticPodURL,
    staticPodURLHeader: kubelet.staticPodURLHeader,
    fileCheckFrequencyMs: kubelet.fileCheckFrequency,
    httpCheckFrequencyMs: kubelet.httpCheckFrequency,
  };
}
