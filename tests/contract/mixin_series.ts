/**
 * The series that dashboards, rules and alerts of the kubernetes-mixin and of
 * kube-prometheus use, with the labels that they name. Data only.
 * What they draw but a kubelet 1.36 has no more: `kubelet_node_config_error`,
 * `storage_operation_errors_total`. What is of Go alone: `go_goroutines`.
 */
const CLAIM = ["namespace", "persistentvolumeclaim"];
const OF_CONTAINER = ["container", "id", "image", "name", "namespace", "pod"];

/** By name; a histogram by its own, without `_bucket`. */
export const MIXIN_SERIES: Readonly<Record<string, readonly string[]>> = {
  kubelet_node_name: ["node"],
  kubelet_running_pods: [],
  kubelet_running_containers: ["container_state"],
  kubelet_pleg_relist_duration_seconds: [],
  kubelet_pleg_relist_interval_seconds: [],
  kubelet_pleg_last_seen_seconds: [],
  kubelet_pod_worker_duration_seconds: ["operation_type"],
  kubelet_pod_start_duration_seconds: [],
  kubelet_pod_start_sli_duration_seconds: [],
  kubelet_runtime_operations_total: ["operation_type"],
  kubelet_runtime_operations_errors_total: ["operation_type"],
  kubelet_runtime_operations_duration_seconds: ["operation_type"],
  kubelet_evictions: ["eviction_signal"],
  kubelet_cgroup_manager_duration_seconds: ["operation_type"],
  kubelet_certificate_manager_client_ttl_seconds: [],
  kubelet_certificate_manager_server_ttl_seconds: [],
  kubelet_certificate_manager_client_expiration_renew_errors: [],
  kubelet_server_expiration_renew_errors: [],
  kubelet_volume_stats_capacity_bytes: CLAIM,
  kubelet_volume_stats_available_bytes: CLAIM,
  kubelet_volume_stats_used_bytes: CLAIM,
  kubelet_volume_stats_inodes: CLAIM,
  kubelet_volume_stats_inodes_free: CLAIM,
  kubelet_volume_stats_inodes_used: CLAIM,
  volume_manager_total_volumes: ["plugin_name", "state"],
  storage_operation_duration_seconds: [
    ...["migrated", "operation_name", "status", "volume_plugin"],
  ],
  rest_client_requests_total: ["code", "host", "method"],
  rest_client_request_duration_seconds: ["host", "verb"],
  process_resident_memory_bytes: [],
  process_cpu_seconds_total: [],
  kubelet_desired_pods: ["static"],
  kubelet_active_pods: ["static"],
  kubelet_mirror_pods: [],
  kubelet_working_pods: ["config", "lifecycle", "static"],
  kubelet_image_pull_duration_seconds: ["image_size_in_bytes"],
  kubelet_started_pods_total: [],
  kubelet_started_pods_errors_total: [],
  kubelet_started_containers_total: ["container_type"],
  kubelet_started_containers_errors_total: ["code", "container_type"],
  kubelet_restarted_pods_total: ["static"],
  kubelet_orphan_pod_cleaned_volumes: [],
  kubelet_orphan_pod_cleaned_volumes_errors: [],
  kubelet_http_requests_total: [
    ...["long_running", "method", "path", "server_type"],
  ],
  kubelet_lifecycle_handler_http_fallbacks_total: [],
  prober_probe_total: [
    ...["container", "namespace", "pod", "pod_uid", "probe_type", "result"],
  ],
  prober_probe_duration_seconds: [
    ...["container", "namespace", "pod", "probe_type"],
  ],
  kubernetes_healthcheck: ["name", "type"],
  kubernetes_healthchecks_total: ["name", "status", "type"],
  kubernetes_build_info: [
    ...["build_date", "compiler", "git_commit", "git_tree_state"],
    ...["git_version", "go_version", "major", "minor", "platform"],
  ],
};

/** Of `/metrics/cadvisor`, all beside the six labels of a container. */
export const CADVISOR_SERIES: Readonly<Record<string, readonly string[]>> = {
  container_cpu_usage_seconds_total: [...OF_CONTAINER, "cpu"],
  container_cpu_cfs_periods_total: OF_CONTAINER,
  container_cpu_cfs_throttled_periods_total: OF_CONTAINER,
  container_memory_working_set_bytes: OF_CONTAINER,
  container_memory_rss: OF_CONTAINER,
  container_memory_cache: OF_CONTAINER,
  container_memory_swap: OF_CONTAINER,
  container_network_receive_bytes_total: [...OF_CONTAINER, "interface"],
  container_network_receive_packets_total: [...OF_CONTAINER, "interface"],
  container_network_receive_packets_dropped_total: [
    ...[...OF_CONTAINER, "interface"],
  ],
  container_network_transmit_bytes_total: [...OF_CONTAINER, "interface"],
  container_network_transmit_packets_total: [...OF_CONTAINER, "interface"],
  container_network_transmit_packets_dropped_total: [
    ...[...OF_CONTAINER, "interface"],
  ],
  container_fs_reads_total: [...OF_CONTAINER, "device"],
  container_fs_writes_total: [...OF_CONTAINER, "device"],
  container_fs_reads_bytes_total: [...OF_CONTAINER, "device"],
  container_fs_writes_bytes_total: [...OF_CONTAINER, "device"],
  container_oom_events_total: OF_CONTAINER,
  container_pressure_cpu_waiting_seconds_total: OF_CONTAINER,
  container_pressure_cpu_stalled_seconds_total: OF_CONTAINER,
  container_pressure_memory_waiting_seconds_total: OF_CONTAINER,
  container_pressure_memory_stalled_seconds_total: OF_CONTAINER,
  container_pressure_io_waiting_seconds_total: OF_CONTAINER,
  container_pressure_io_stalled_seconds_total: OF_CONTAINER,
  machine_cpu_cores: ["boot_id", "machine_id", "system_uuid"],
  machine_memory_bytes: ["boot_id", "machine_id", "system_uuid"],
};
