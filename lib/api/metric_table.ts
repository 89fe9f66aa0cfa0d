/**
 * Every metric of `/metrics` that is about pods and containers; beside it
 * are those about the runtime and those about the node. Names, labels, types and
 * buckets are contract: dashboards and alerts are made of them. Data only.
 * Compat: kubelet 1.36 pkg/kubelet/metrics; `denolet_` are ours.
 */
import { USUAL_BUCKETS } from "../base/metrics.ts";
import { NODE_METRICS } from "./metric_table_node.ts";
import { RESIZE_METRICS } from "./metric_table_resize.ts";
import { SERVER_METRICS } from "./metric_table_server.ts";
import { STARTUP_METRICS } from "./metric_table_startup.ts";
import { RUNTIME_METRICS } from "./metric_table_runtime.ts";
import { VOLUME_METRICS } from "./metric_table_volume.ts";

const OPERATION = ["operation_type"] as const;
const STATIC = ["static"] as const;
const CONTAINER = ["container_type"] as const;

/** Seconds that a pod takes to start. */
const START_BUCKETS = [
  ...[0.5, 1, 2, 3, 4, 5, 6, 8, 10, 20, 30, 45, 60, 120, 180, 240, 300, 360],
  ...[480, 600, 900, 1200, 1800, 2700, 3600],
];
const CONTAINER_METRICS = {
  startedContainers: {
    type: "counter",
    name: "kubelet_started_containers_total",
    help: "[ALPHA] Cumulative number of containers started",
    labels: CONTAINER,
  },
  containerErrors: {
    type: "counter",
    name: "kubelet_started_containers_errors_total",
    help: "[ALPHA] Cumulative number of errors when starting containers",
    labels: ["container_type", "code"],
  },
  terminatedContainers: {
    type: "counter",
    name: "kubelet_terminated_containers_total",
    help: "[ALPHA] Cumulative number of container terminations.",
    labels: ["container_type", "exit_code", "reason"],
  },
  runningContainers: {
    type: "gauge",
    name: "kubelet_running_containers",
    help: "[ALPHA] Number of containers currently running",
    labels: ["container_state"],
  },
  ephemeralContainers: {
    type: "gauge",
    name: "kubelet_managed_ephemeral_containers",
    help:
      "[ALPHA] Current number of ephemeral containers in pods managed by this " +
      "kubelet.",
    labels: [],
  },
  hookFallbacks: {
    type: "counter",
    name: "kubelet_lifecycle_handler_http_fallbacks_total",
    help:
      "[ALPHA] The number of times lifecycle handlers successfully fell back " +
      "to http from https.",
    labels: [],
  },
  sleepsCut: {
    type: "counter",
    name: "kubelet_sleep_action_terminated_early_total",
    help:
      "[ALPHA] The number of times lifecycle sleep handler got terminated " +
      "before it finishes",
    labels: [],
  },
} as const;

const POD_METRICS = {
  containersPerPod: {
    type: "histogram",
    name: "kubelet_containers_per_pod_count",
    help: "[ALPHA] The number of containers per pod.",
    labels: [],
    buckets: [1, 2, 4, 8, 16],
  },
  passSeconds: {
    type: "histogram",
    name: "kubelet_pod_worker_duration_seconds",
    help: "[ALPHA] Duration in seconds to sync a single pod. Broken down by " +
      "operation type: create, update, or sync",
    labels: OPERATION,
    buckets: USUAL_BUCKETS,
  },
  passBegins: {
    type: "histogram",
    name: "kubelet_pod_worker_start_duration_seconds",
    help:
      "[ALPHA] Duration in seconds from kubelet seeing a pod to starting a " +
      "worker.",
    labels: [],
    buckets: USUAL_BUCKETS,
  },
  podStart: {
    type: "histogram",
    name: "kubelet_pod_start_duration_seconds",
    help:
      "[ALPHA] Duration in seconds from kubelet seeing a pod for the first " +
      "time to the pod starting to run",
    labels: [],
    buckets: START_BUCKETS,
  },
  podStartSli: {
    type: "histogram",
    name: "kubelet_pod_start_sli_duration_seconds",
    help:
      "[ALPHA] Duration in seconds to start a pod, excluding time to pull " +
      "images and run init containers, measured from pod creation timestamp " +
      "to when all its containers are reported as started and observed via " +
      "watch",
    labels: [],
    buckets: START_BUCKETS,
  },
  podStartTotal: {
    type: "histogram",
    name: "kubelet_pod_start_total_duration_seconds",
    help:
      "[ALPHA] Duration in seconds to start a pod since creation, including " +
      "time to pull images and run init containers, measured from pod " +
      "creation timestamp to when all its containers are reported as " +
      "started and observed via watch",
    labels: [],
    buckets: START_BUCKETS,
  },
  statusSync: {
    type: "histogram",
    name: "kubelet_pod_status_sync_duration_seconds",
    help:
      "[ALPHA] Duration in seconds to sync a pod status update. Measures time " +
      "from detection of a change to pod status until the API is " +
      "successfully updated for that pod, even if multiple intevening " +
      "changes to pod status occur.",
    labels: [],
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 20, 30, 45, 60],
  },
  runningPods: {
    type: "gauge",
    name: "kubelet_running_pods",
    help: "[ALPHA] Number of pods that have a running pod sandbox",
    labels: [],
  },
  desiredPods: {
    type: "gauge",
    name: "kubelet_desired_pods",
    help:
      "[ALPHA] The number of pods the kubelet is being instructed to run. " +
      "static is true if the pod is not from the apiserver.",
    labels: STATIC,
  },
  activePods: {
    type: "gauge",
    name: "kubelet_active_pods",
    help:
      "[ALPHA] The number of pods the kubelet considers active and which are " +
      "being considered when admitting new pods. static is true if the pod " +
      "is not from the apiserver.",
    labels: STATIC,
  },
  mirrorPods: {
    type: "gauge",
    name: "kubelet_mirror_pods",
    help:
      "[ALPHA] The number of mirror pods the kubelet will try to create (one " +
      "per admitted static pod)",
    labels: [],
  },
  workingPods: {
    type: "gauge",
    name: "kubelet_working_pods",
    help:
      "[ALPHA] Number of pods the kubelet is actually running, broken down by " +
      "lifecycle phase, whether the pod is desired, orphaned, or runtime " +
      "only (also orphaned), and whether the pod is static.",
    labels: ["lifecycle", "config", "static"],
  },
  startedPods: {
    type: "counter",
    name: "kubelet_started_pods_total",
    help: "[ALPHA] Cumulative number of pods started",
    labels: [],
  },
  podErrors: {
    type: "counter",
    name: "kubelet_started_pods_errors_total",
    help: "[ALPHA] Cumulative number of errors when starting pods",
    labels: [],
  },
  restartedPods: {
    type: "counter",
    name: "kubelet_restarted_pods_total",
    help: "[ALPHA] Number of pods that have been restarted because they were " +
      "deleted and recreated with the same UID while the kubelet was " +
      "watching them (common for static pods, extremely uncommon for API " +
      "pods)",
    labels: STATIC,
  },
  userPods: {
    type: "counter",
    name: "kubelet_started_user_namespaced_pods_total",
    help: "[ALPHA] Cumulative number of pods with user namespaces started. " +
      "This metric will only be collected on Linux.",
    labels: [],
  },
  userPodErrors: {
    type: "counter",
    name: "kubelet_started_user_namespaced_pods_errors_total",
    help: "[ALPHA] Cumulative number of errors when starting pods with user " +
      "namespaces. This metric will only be collected on Linux.",
    labels: [],
  },
  orphanedPods: {
    type: "counter",
    name: "kubelet_orphaned_runtime_pods_total",
    help: "[ALPHA] Number of pods that have been detected in the container " +
      "runtime without being already known to the pod worker. This " +
      "typically indicates the kubelet was restarted while a pod was force " +
      "deleted in the API or in the local configuration, which is unusual.",
    labels: [],
  },
  admissionRejections: {
    type: "counter",
    name: "kubelet_admission_rejections_total",
    help: "[ALPHA] Cumulative number pod admission rejections by the Kubelet.",
    labels: ["reason"],
  },
  evictions: {
    type: "counter",
    name: "kubelet_evictions",
    help: "[ALPHA] Cumulative number of pod evictions by eviction signal",
    labels: ["eviction_signal"],
  },
  evictionAge: {
    type: "histogram",
    name: "kubelet_eviction_stats_age_seconds",
    help: "[ALPHA] Time between when stats are collected, and when pod is " +
      "evicted based on those stats by eviction signal",
    labels: ["eviction_signal"],
    buckets: USUAL_BUCKETS,
  },
  preemptions: {
    type: "counter",
    name: "kubelet_preemptions",
    help: "[ALPHA] Cumulative number of pod preemptions by preemption resource",
    labels: ["preemption_signal"],
  },
  actionSeconds: {
    type: "histogram",
    name: "denolet_action_duration_seconds",
    help: "Duration in seconds of one action of a pass, by its kind.",
    labels: ["action"],
    buckets: USUAL_BUCKETS,
  },
  actionErrors: {
    type: "counter",
    name: "denolet_action_errors_total",
    help: "Actions of passes that failed, by their kind.",
    labels: ["action"],
  },
} as const;

export const METRICS = {
  ...RUNTIME_METRICS,
  ...CONTAINER_METRICS,
  ...POD_METRICS,
  ...RESIZE_METRICS,
  ...NODE_METRICS,
  ...SERVER_METRICS,
  ...STARTUP_METRICS,
  ...VOLUME_METRICS,
};
