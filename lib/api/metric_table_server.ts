/**
 * Every metric of `/metrics` about who asks this node, and what the figures
 * told there come from; see metric_table.ts. Data only. Compat: kubelet 1.36
 * pkg/kubelet/server/metrics, pkg/kubelet/metrics/collectors.
 */
import { USUAL_BUCKETS } from "../base/metrics.ts";

const HTTP = ["method", "path", "server_type", "long_running"] as const;

export const SERVER_METRICS = {
  httpRequests: {
    type: "counter",
    name: "kubelet_http_requests_total",
    help:
      "[ALPHA] Number of the http requests received since the server started",
    labels: HTTP,
  },
  httpSeconds: {
    type: "histogram",
    name: "kubelet_http_requests_duration_seconds",
    help: "[ALPHA] Duration in seconds to serve http requests",
    labels: HTTP,
    buckets: USUAL_BUCKETS,
  },
  httpInflight: {
    type: "gauge",
    name: "kubelet_http_inflight_requests",
    help: "[ALPHA] Number of the inflight http requests",
    labels: HTTP,
  },
  webSockets: {
    type: "counter",
    name: "kubelet_websocket_streaming_requests_total",
    help: "[ALPHA] Total number of WebSocket streaming requests " +
      "(exec/attach/portforward) received by the kubelet.",
    labels: ["subresource"],
  },
  metricsProvider: {
    type: "gauge",
    name: "kubelet_metrics_provider",
    help: "[ALPHA] Metrics provider used by kubelet to collect container " +
      "stats. Values can be 'cadvisor' and 'cri'",
    labels: ["provider"],
  },
  logBytes: {
    type: "gauge",
    name: "kubelet_container_log_filesystem_used_bytes",
    help: "[ALPHA] Bytes used by the container's logs on the filesystem.",
    labels: ["uid", "namespace", "pod", "container"],
  },
} as const;
