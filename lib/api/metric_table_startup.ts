/**
 * Every metric of `/metrics` about how long the node and its first pod took to
 * start; see metric_table.ts. Data only. Compat: kubelet 1.36
 * pkg/kubelet/metrics.
 */

export const STARTUP_METRICS = {
  preKubelet: {
    type: "gauge",
    name: "kubelet_node_startup_pre_kubelet_duration_seconds",
    help: "[ALPHA] Duration in seconds of node startup before kubelet starts.",
    labels: [],
  },
  preRegistration: {
    type: "gauge",
    name: "kubelet_node_startup_pre_registration_duration_seconds",
    help: "[ALPHA] Duration in seconds of node startup before registration.",
    labels: [],
  },
  registration: {
    type: "gauge",
    name: "kubelet_node_startup_registration_duration_seconds",
    help: "[ALPHA] Duration in seconds of node startup during registration.",
    labels: [],
  },
  postRegistration: {
    type: "gauge",
    name: "kubelet_node_startup_post_registration_duration_seconds",
    help: "[ALPHA] Duration in seconds of node startup after registration.",
    labels: [],
  },
  nodeStartup: {
    type: "gauge",
    name: "kubelet_node_startup_duration_seconds",
    help: "[ALPHA] Duration in seconds of node startup in total.",
    labels: [],
  },
  firstNetworkPod: {
    type: "gauge",
    name: "kubelet_first_network_pod_start_sli_duration_seconds",
    help: "[INTERNAL] Duration in seconds to start the first network pod, " +
      "excluding time to pull images and run init containers, measured from " +
      "pod creation timestamp to when all its containers are reported as " +
      "started and observed via watch",
    labels: [],
  },
} as const;
