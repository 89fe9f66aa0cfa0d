/**
 * Metrics that always show zero: of what this agent does not have, and the
 * kubelet shows as zero where it is off, and of what the kubelet has no more
 * but dashboards still draw. Data only. Compat: kubelet 1.36 pkg/kubelet.
 */

/** None has labels, so that each is shown from the start. */
export const QUIET_METRICS = [
  {
    type: "gauge",
    name: "kubelet_node_config_error",
    help: "This metric is true (1) if the node is experiencing a " +
      "configuration-related error, false (0) otherwise. Dynamic " +
      "configuration is gone, and so are its errors.",
  },
  {
    type: "counter",
    name: "kubelet_pleg_discard_events",
    help: "[ALPHA] The number of discard events in PLEG.",
  },
  {
    type: "counter",
    name: "kubelet_cpu_manager_pinning_requests_total",
    help: "[ALPHA] The number of cpu core allocations which required pinning.",
  },
  {
    type: "counter",
    name: "kubelet_cpu_manager_pinning_errors_total",
    help: "[ALPHA] The number of cpu core allocations which required pinning " +
      "failed.",
  },
  {
    type: "gauge",
    name: "kubelet_cpu_manager_shared_pool_size_millicores",
    help: "[ALPHA] The size of the shared CPU pool for non-guaranteed QoS " +
      "pods, in millicores.",
  },
  {
    type: "gauge",
    name: "kubelet_cpu_manager_exclusive_cpu_allocation_count",
    help: "[ALPHA] The total number of CPUs exclusively allocated to " +
      "containers running on this node",
  },
  {
    type: "counter",
    name: "kubelet_memory_manager_pinning_requests_total",
    help: "[ALPHA] The number of memory pages allocations which required " +
      "pinning.",
  },
  {
    type: "counter",
    name: "kubelet_memory_manager_pinning_errors_total",
    help: "[ALPHA] The number of memory pages allocations which required " +
      "pinning that failed.",
  },
  {
    type: "counter",
    name: "kubelet_topology_manager_admission_requests_total",
    help: "[ALPHA] The number of admission requests where resources have to " +
      "be aligned.",
  },
  {
    type: "counter",
    name: "kubelet_topology_manager_admission_errors_total",
    help: "[ALPHA] The number of admission request failures where resources " +
      "could not be aligned.",
  },
  {
    type: "counter",
    name: "kubelet_pod_watch_events_dropped_total",
    help: "[ALPHA] The number of pod watch events that were dropped because " +
      "a client was slow; there is no such API here.",
  },
  {
    type: "gauge",
    name: "kubelet_imagemanager_inmemory_pullintents_usage_percent",
    help: "[ALPHA] The ImagePullIntents in-memory cache usage in percent; " +
      "they are kept on disk alone.",
  },
  {
    type: "gauge",
    name: "kubelet_imagemanager_inmemory_pulledrecords_usage_percent",
    help: "[ALPHA] The ImagePulledRecords in-memory cache usage in percent; " +
      "they are kept on disk alone.",
  },
  {
    type: "counter",
    name: "reconstruct_volume_operations_total",
    help: "[ALPHA] The number of volumes that were attempted to be " +
      "reconstructed from the operating system during kubelet startup; here " +
      "each start looks at them afresh.",
  },
  {
    type: "counter",
    name: "reconstruct_volume_operations_errors_total",
    help: "[ALPHA] The number of volumes that failed reconstruction from the " +
      "operating system during kubelet startup.",
  },
  {
    type: "counter",
    name: "force_cleaned_failed_volume_operations_total",
    help: "[ALPHA] The number of volumes that were force cleaned after their " +
      "reconstruction failed during kubelet startup.",
  },
  {
    type: "counter",
    name: "force_cleaned_failed_volume_operation_errors_total",
    help: "[ALPHA] The number of volumes that failed force cleanup after " +
      "their reconstruction failed during kubelet startup.",
  },
  {
    type: "counter",
    name: "hidden_metrics_total",
    help: "[BETA] The count of hidden metrics.",
  },
  {
    type: "counter",
    name: "disabled_metrics_total",
    help: "[BETA] The count of disabled metrics.",
  },
] as const;
