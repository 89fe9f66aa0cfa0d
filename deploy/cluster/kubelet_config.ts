/** The real kubelet's configuration in a world. Pure. */
import type { ClusterFacts } from "./facts.ts";

export function kubeletConfig(cluster: ClusterFacts): Record<string, unknown> {
  const { world, ports } = cluster;
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    containerRuntimeEndpoint: `unix://${world.socket}`,
    address: cluster.nodeIp,
    port: ports.kubelet,
    healthzBindAddress: "127.0.0.1",
    healthzPort: ports.kubeletHealthz,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: cluster.ca.certificate },
    },
    authorization: { mode: "Webhook" },
    clusterDomain: "cluster.local",
    rotateCertificates: true,
    serverTLSBootstrap: true,
    failCgroupV1: false,
    cgroupDriver: "cgroupfs",
    cgroupRoot: world.cgroupRoot,
    podLogsDir: `${world.root}/var/log/pods`,
    resolvConf: `${world.root}/etc/resolv.conf`,
    volumePluginDir: `${cluster.root}/kubelet/volume-plugins`,
    failSwapOn: false,
    // The machine's tables are not a scratch world's to change.
    makeIPTablesUtilChains: false,
    // Other work on this machine must not make this node evict.
    evictionHard: { "memory.available": "1Mi" },
  };
}
