/**
 * Every metric of `/metrics` about volumes, images and their credentials; see
 * metric_table.ts. Data only. Compat: kubelet 1.36.
 */
import { USUAL_BUCKETS } from "../base/metrics.ts";

const CLAIM = ["namespace", "persistentvolumeclaim"] as const;

/** Of storage operations, which may take minutes. */
const STORAGE_BUCKETS = [
  ...[0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 25, 50, 120, 300, 600],
];
const PLUGIN = ["plugin_name"] as const;

export const VOLUME_METRICS = {
  orphanVolumes: {
    type: "gauge",
    name: "kubelet_orphan_pod_cleaned_volumes",
    help: "[ALPHA] The total number of orphaned Pods whose volumes were " +
      "cleaned in the last periodic sweep.",
    labels: [],
  },
  orphanVolumeErrors: {
    type: "gauge",
    name: "kubelet_orphan_pod_cleaned_volumes_errors",
    help: "[ALPHA] The number of orphaned Pods whose volumes failed to be " +
      "cleaned in the last periodic sweep.",
    labels: [],
  },
  totalVolumes: {
    type: "gauge",
    name: "volume_manager_total_volumes",
    help: "[ALPHA] Number of volumes in Volume Manager",
    labels: ["plugin_name", "state"],
  },
  storageSeconds: {
    type: "histogram",
    name: "storage_operation_duration_seconds",
    help: "[ALPHA] Storage operation duration",
    labels: ["migrated", "operation_name", "status", "volume_plugin"],
    buckets: STORAGE_BUCKETS,
  },
  volumeSeconds: {
    type: "histogram",
    name: "volume_operation_total_seconds",
    help: "[ALPHA] Storage operation end to end duration in seconds",
    labels: ["operation_name", "plugin_name"],
    buckets: STORAGE_BUCKETS,
  },
  treeSeconds: {
    type: "histogram",
    name: "kubelet_volume_metric_collection_duration_seconds",
    help: "[ALPHA] Duration in seconds to calculate volume stats",
    labels: ["metric_source"],
    buckets: USUAL_BUCKETS,
  },
  /** Compat: kubelets before 1.17; dashboards still draw it. */
  storageErrors: {
    type: "counter",
    name: "storage_operation_errors_total",
    help: "[ALPHA] Storage errors total",
    labels: ["operation_name", "volume_plugin"],
  },
  volumeCapacity: {
    type: "gauge",
    name: "kubelet_volume_stats_capacity_bytes",
    help: "[ALPHA] Capacity in bytes of the volume",
    labels: CLAIM,
  },
  volumeAvailable: {
    type: "gauge",
    name: "kubelet_volume_stats_available_bytes",
    help: "[ALPHA] Number of available bytes in the volume",
    labels: CLAIM,
  },
  volumeUsed: {
    type: "gauge",
    name: "kubelet_volume_stats_used_bytes",
    help: "[ALPHA] Number of used bytes in the volume",
    labels: CLAIM,
  },
  volumeInodes: {
    type: "gauge",
    name: "kubelet_volume_stats_inodes",
    help: "[ALPHA] Maximum number of inodes in the volume",
    labels: CLAIM,
  },
  volumeInodesFree: {
    type: "gauge",
    name: "kubelet_volume_stats_inodes_free",
    help: "[ALPHA] Number of free inodes in the volume",
    labels: CLAIM,
  },
  volumeInodesUsed: {
    type: "gauge",
    name: "kubelet_volume_stats_inodes_used",
    help: "[ALPHA] Number of used inodes in the volume",
    labels: CLAIM,
  },
  imageVolumesRequested: {
    type: "counter",
    name: "kubelet_image_volume_requested_total",
    help: "[BETA] Number of requested image volumes.",
    labels: [],
  },
  imageVolumesMounted: {
    type: "counter",
    name: "kubelet_image_volume_mounted_succeed_total",
    help: "[BETA] Number of successful image volume mounts.",
    labels: [],
  },
  imageVolumeErrors: {
    type: "counter",
    name: "kubelet_image_volume_mounted_errors_total",
    help: "[BETA] Number of failed image volume mounts.",
    labels: [],
  },
  pullIntents: {
    type: "gauge",
    name: "kubelet_imagemanager_ondisk_pullintents",
    help: "[ALPHA] Number of ImagePullIntents stored on disk.",
    labels: [],
  },
  pulledRecords: {
    type: "gauge",
    name: "kubelet_imagemanager_ondisk_pulledrecords",
    help: "[ALPHA] Number of ImagePulledRecords stored on disk.",
    labels: [],
  },
  mustPullChecks: {
    type: "counter",
    name: "kubelet_imagemanager_image_mustpull_checks_total",
    help:
      "[ALPHA] Counter for how many times kubelet checked whether credentials " +
      "need to be re-verified to access an image",
    labels: ["result"],
  },
  pluginErrors: {
    type: "counter",
    name: "kubelet_credential_provider_plugin_errors_total",
    help: "[ALPHA] Number of errors from credential provider plugin",
    labels: PLUGIN,
  },
  pluginSeconds: {
    type: "histogram",
    name: "kubelet_credential_provider_plugin_duration",
    help: "[ALPHA] Duration of execution in seconds for credential provider " +
      "plugin",
    labels: PLUGIN,
    buckets: USUAL_BUCKETS,
  },
} as const;
