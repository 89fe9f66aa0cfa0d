/**
 * Every metric of `/metrics` that is about the node, the API server
 * and this process; see metric_table.ts. Data only.
 * Compat: kubelet 1.36, component-base 0.36; `denolet_` are ours.
 */
import { USUAL_BUCKETS } from "../base/metrics.ts";

const REST_BUCKETS = [
  ...[0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60],
];

/** From 64 bytes to 16 MiB. */
const SIZE_BUCKETS = [
  ...[64, 256, 512, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304],
  16777216,
];

export const NODE_METRICS = {
  nodeName: {
    type: "gauge",
    name: "kubelet_node_name",
    help: "[ALPHA] The node's name. The count is always 1.",
    labels: ["node"],
  },
  cgroupVersion: {
    type: "gauge",
    name: "kubelet_cgroup_version",
    help: "[ALPHA] cgroup version on the hosts.",
    labels: [],
  },
  memoryQosMin: {
    type: "gauge",
    name: "kubelet_memory_qos_node_memory_min_bytes",
    help:
      "[ALPHA] Total cgroup v2 memory.min in bytes for Guaranteed pods. This " +
      "memory is hard-reserved and never reclaimed by the kernel.",
    labels: [],
  },
  memoryQosLow: {
    type: "gauge",
    name: "kubelet_memory_qos_node_memory_low_bytes",
    help:
      "[ALPHA] Total cgroup v2 memory.low in bytes for Burstable pods. This " +
      "memory is soft-reserved and may be reclaimed under extreme pressure.",
    labels: [],
  },
  losingSupport: {
    type: "gauge",
    name: "kubelet_cri_losing_support",
    help: "[ALPHA] the Kubernetes version that the currently running CRI " +
      "implementation will lose support on if not upgraded.",
    labels: ["version"],
  },
  buildInfo: {
    type: "gauge",
    name: "kubernetes_build_info",
    help:
      "[ALPHA] A metric with a constant '1' value labeled by major, minor, git " +
      "version, git commit, git tree state, build date, Go version, and " +
      "compiler from which Kubernetes was built, and platform on which it " +
      "is running.",
    labels: [
      ...["build_date", "compiler", "git_commit", "git_tree_state"] as const,
      ...["git_version", "go_version", "major", "minor", "platform"] as const,
    ],
  },
  features: {
    type: "gauge",
    name: "kubernetes_feature_enabled",
    help:
      "[BETA] This metric records the data about the stage and enablement of a " +
      "k8s feature.",
    labels: ["name", "stage"],
  },
  clientTtl: {
    type: "gauge",
    name: "kubelet_certificate_manager_client_ttl_seconds",
    help: "[ALPHA] Gauge of the TTL (time-to-live) of the Kubelet's client " +
      "certificate. The value is in seconds until certificate expiry " +
      "(negative if already expired). If client certificate is invalid or " +
      "unused, the value will be +INF.",
    labels: [],
  },
  servingTtl: {
    type: "gauge",
    name: "kubelet_certificate_manager_server_ttl_seconds",
    help: "[ALPHA] Gauge of the shortest TTL (time-to-live) of the Kubelet's " +
      "serving certificate. The value is in seconds until certificate expiry " +
      "(negative if already expired). If serving certificate is invalid or " +
      "unused, the value will be +INF.",
    labels: [],
  },
  clientRenewErrors: {
    type: "counter",
    name: "kubelet_certificate_manager_client_expiration_renew_errors",
    help: "[ALPHA] Counter of certificate renewal errors.",
    labels: [],
  },
  // Compat: without `certificate_manager`.
  servingRenewErrors: {
    type: "counter",
    name: "kubelet_server_expiration_renew_errors",
    help: "[ALPHA] Counter of certificate renewal errors.",
    labels: [],
  },
  servingRotation: {
    type: "histogram",
    name: "kubelet_certificate_manager_server_rotation_seconds",
    help: "[ALPHA] Histogram of the number of seconds the previous " +
      "certificate lived before being rotated.",
    labels: [],
    buckets: [
      ...[60, 3600, 14400, 86400, 604800, 2592000, 7776000, 15552000],
      ...[31104000, 124416000],
    ],
  },
  restRequests: {
    type: "counter",
    name: "rest_client_requests_total",
    help:
      "[ALPHA] Number of HTTP requests, partitioned by status code, method, " +
      "and host.",
    labels: ["code", "host", "method"],
  },
  restSeconds: {
    type: "histogram",
    name: "rest_client_request_duration_seconds",
    help: "[ALPHA] Request latency in seconds. Broken down by verb, and host.",
    labels: ["host", "verb"],
    buckets: REST_BUCKETS,
  },
  restSent: {
    type: "histogram",
    name: "rest_client_request_size_bytes",
    help: "[ALPHA] Request size in bytes. Broken down by verb and host.",
    labels: ["host", "verb"],
    buckets: SIZE_BUCKETS,
  },
  restReceived: {
    type: "histogram",
    name: "rest_client_response_size_bytes",
    help: "[ALPHA] Response size in bytes. Broken down by verb and host.",
    labels: ["host", "verb"],
    buckets: SIZE_BUCKETS,
  },
  processCpu: {
    type: "counter",
    name: "process_cpu_seconds_total",
    help: "Total user and system CPU time spent in seconds.",
    labels: [],
  },
  processResident: {
    type: "gauge",
    name: "process_resident_memory_bytes",
    help: "Resident memory size in bytes.",
    labels: [],
  },
  processVirtual: {
    type: "gauge",
    name: "process_virtual_memory_bytes",
    help: "Virtual memory size in bytes.",
    labels: [],
  },
  processMostVirtual: {
    type: "gauge",
    name: "process_virtual_memory_max_bytes",
    help: "Maximum amount of virtual memory available in bytes.",
    labels: [],
  },
  processReceived: {
    type: "counter",
    name: "process_network_receive_bytes_total",
    help: "Number of bytes received by the process over the network.",
    labels: [],
  },
  processSent: {
    type: "counter",
    name: "process_network_transmit_bytes_total",
    help: "Number of bytes sent by the process over the network.",
    labels: [],
  },
  processStart: {
    type: "gauge",
    name: "process_start_time_seconds",
    help: "Start time of the process since unix epoch in seconds.",
    labels: [],
  },
  processFiles: {
    type: "gauge",
    name: "process_open_fds",
    help: "Number of open file descriptors.",
    labels: [],
  },
  processMostFiles: {
    type: "gauge",
    name: "process_max_fds",
    help: "Maximum number of open file descriptors.",
    labels: [],
  },
  shutdownStart: {
    type: "gauge",
    name: "kubelet_graceful_shutdown_start_time_seconds",
    help: "[ALPHA] Last graceful shutdown start time since unix epoch in " +
      "seconds",
    labels: [],
  },
  shutdownEnd: {
    type: "gauge",
    name: "kubelet_graceful_shutdown_end_time_seconds",
    help: "[ALPHA] Last graceful shutdown end time since unix epoch in seconds",
    labels: [],
  },
  lagSeconds: {
    type: "histogram",
    name: "denolet_event_loop_lag_seconds",
    help: "How much later than wanted a timer fired, sampled twice a second.",
    labels: [],
    buckets: [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5],
  },
  probeLateness: {
    type: "histogram",
    name: "denolet_probe_lateness_seconds",
    help: "How long after its time a probe was asked.",
    labels: [],
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
  },
} as const;

/** `/metrics/probes`, a set of its own. */
export const PROBE_METRICS = {
  total: {
    type: "counter",
    name: "prober_probe_total",
    help:
      "[BETA] Cumulative number of a liveness, readiness or startup probe for " +
      "a container by result.",
    labels: [
      "probe_type",
      "result",
      "container",
      "pod",
      "namespace",
      "pod_uid",
    ],
  },
  seconds: {
    type: "histogram",
    name: "prober_probe_duration_seconds",
    help: "[ALPHA] Duration in seconds for a probe response.",
    labels: ["probe_type", "container", "pod", "namespace"],
    buckets: USUAL_BUCKETS,
  },
} as const;

/** In each of the sets beside `/metrics`. */
export const PAGE_METRICS = {
  start: {
    type: "gauge",
    name: "process_start_time_seconds",
    help: "[ALPHA] Start time of the process since unix epoch in seconds.",
    labels: [],
  },
} as const;

/** `/metrics/slis`, a set of its own. */
export const SLI_METRICS = {
  healthcheck: {
    type: "gauge",
    name: "kubernetes_healthcheck",
    help: "[STABLE] This metric records the result of a single healthcheck.",
    labels: ["name", "type"],
  },
  healthchecks: {
    type: "counter",
    name: "kubernetes_healthchecks_total",
    help: "[STABLE] This metric records the results of all healthcheck.",
    labels: ["name", "type", "status"],
  },
} as const;
