/** What of the configuration is about certificates. */
import type { Config } from "../config/load.ts";

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
