/**
 * The metrics of `/metrics` that are about pods resized while they run. Data
 * only; see `metric_table.ts`. Compat: kubelet 1.36 pkg/kubelet/metrics.
 */

/** Milliseconds that it takes to set what was given. */
const RESIZE_BUCKETS = [
  ...[10, 50, 100, 500, 1000, 2000, 5000, 10_000, 20_000, 30_000, 60_000],
  ...[120_000, 300_000, 600_000],
];

export const RESIZE_METRICS = {
  requestedResizes: {
    type: "counter",
    name: "kubelet_container_requested_resizes_total",
    help: "[ALPHA] Number of requested resizes, counted at the container " +
      "level. Different resources on the same container are counted " +
      "separately. The 'requirement' label refers to 'memory' or 'limits'; " +
      "the 'operation' label can be one of 'add', 'remove', 'increase' or " +
      "'decrease'.",
    labels: ["resource", "requirement", "operation"],
  },
  resizeMilliseconds: {
    type: "histogram",
    name: "kubelet_pod_resize_duration_milliseconds",
    help: "[ALPHA] Duration in milliseconds to actuate a pod resize",
    labels: ["success"],
    buckets: RESIZE_BUCKETS,
  },
  pendingResizes: {
    type: "gauge",
    name: "kubelet_pod_pending_resizes",
    help: "[ALPHA] Number of pending resizes for pods.",
    labels: ["reason"],
  },
  infeasibleResizes: {
    type: "counter",
    name: "kubelet_pod_infeasible_resizes_total",
    help: "[ALPHA] Number of infeasible resizes for pods.",
    labels: ["reason_detail"],
  },
  resizesUnderWay: {
    type: "gauge",
    name: "kubelet_pod_in_progress_resizes",
    help: "[ALPHA] Number of in-progress resizes for pods.",
    labels: [],
  },
  deferredAccepted: {
    type: "counter",
    name: "kubelet_pod_deferred_accepted_resizes_total",
    help: "[ALPHA] Cumulative number of resizes that were accepted after " +
      "being deferred.",
    labels: ["retry_trigger"],
  },
} as const;
