/**
 * Every metric of `/metrics` that is about the runtime and its images; see
 * metric_table.ts. Data only. Compat: kubelet 1.36 pkg/kubelet/metrics.
 */
import { USUAL_BUCKETS } from "../base/metrics.ts";

const OPERATION = ["operation_type"] as const;
/** Seconds that a pull takes. */
const PULL_BUCKETS = [
  ...[1, 5, 10, 20, 30, 60, 120, 180, 240, 300, 360, 480, 600, 900, 1200],
  ...[1800, 2700, 3600],
];
const RUNTIME_BUCKETS = Array.from({ length: 14 }, (_, n) => 0.005 * 2.5 ** n);

export const RUNTIME_METRICS = {
  runtimeOperations: {
    type: "counter",
    name: "kubelet_runtime_operations_total",
    help: "[ALPHA] Cumulative number of runtime operations by operation type.",
    labels: OPERATION,
  },
  runtimeErrors: {
    type: "counter",
    name: "kubelet_runtime_operations_errors_total",
    help:
      "[ALPHA] Cumulative number of runtime operation errors by operation type.",
    labels: OPERATION,
  },
  runtimeSeconds: {
    type: "histogram",
    name: "kubelet_runtime_operations_duration_seconds",
    help: "[ALPHA] Duration in seconds of runtime operations. Broken down by " +
      "operation type.",
    labels: OPERATION,
    buckets: RUNTIME_BUCKETS,
  },
  relistSeconds: {
    type: "histogram",
    name: "kubelet_pleg_relist_duration_seconds",
    help: "[ALPHA] Duration in seconds for relisting pods in PLEG.",
    labels: [],
    buckets: USUAL_BUCKETS,
  },
  relistInterval: {
    type: "histogram",
    name: "kubelet_pleg_relist_interval_seconds",
    help: "[ALPHA] Interval in seconds between relisting in PLEG.",
    labels: [],
    buckets: USUAL_BUCKETS,
  },
  relistedAt: {
    type: "gauge",
    name: "kubelet_pleg_last_seen_seconds",
    help: "[ALPHA] Timestamp in seconds when PLEG was last seen active.",
    labels: [],
  },
  sandboxSeconds: {
    type: "histogram",
    name: "kubelet_run_podsandbox_duration_seconds",
    help:
      "[ALPHA] Duration in seconds of the run_podsandbox operations. Broken " +
      "down by RuntimeClass.Handler.",
    labels: ["runtime_handler"],
    buckets: USUAL_BUCKETS,
  },
  sandboxErrors: {
    type: "counter",
    name: "kubelet_run_podsandbox_errors_total",
    help:
      "[ALPHA] Cumulative number of the run_podsandbox operation errors by " +
      "RuntimeClass.Handler.",
    labels: ["runtime_handler"],
  },
  cgroupSeconds: {
    type: "histogram",
    name: "kubelet_cgroup_manager_duration_seconds",
    help:
      "[ALPHA] Duration in seconds for cgroup manager operations. Broken down " +
      "by method.",
    labels: OPERATION,
    buckets: USUAL_BUCKETS,
  },
  imagePullSeconds: {
    type: "histogram",
    name: "kubelet_image_pull_duration_seconds",
    help: "[ALPHA] Duration in seconds to pull an image.",
    labels: ["image_size_in_bytes"],
    buckets: PULL_BUCKETS,
  },
  imageRequests: {
    type: "counter",
    name: "kubelet_image_manager_ensure_image_requests_total",
    help: "[ALPHA] Number of ensure-image requests processed by the kubelet.",
    labels: ["pull_policy", "present_locally", "pull_required"],
  },
  imagesRemoved: {
    type: "counter",
    name: "kubelet_image_garbage_collected_total",
    help: "[ALPHA] Total number of images garbage collected by the kubelet, " +
      "whether through disk usage or image age.",
    labels: ["reason"],
  },
} as const;
