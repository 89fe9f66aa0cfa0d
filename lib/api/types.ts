/**
 * The vocabulary of Kubernetes, as types only: the one place that names
 * client-node's model types, so that the rest of the house does not care where
 * they come from. Objects are plain JSON: times are RFC 3339 strings in what
 * we read and write, whatever these types say; `pod.ts` has the accessors.
 */
export type {
  V1Container,
  V1ContainerPort,
  V1ContainerState,
  V1ContainerStatus,
  V1DownwardAPIVolumeFile,
  V1EnvVar,
  V1EnvVarSource,
  V1EphemeralContainer,
  V1HostAlias,
  V1HTTPGetAction,
  V1KeyToPath,
  V1Lifecycle,
  V1LifecycleHandler,
  V1NFSVolumeSource,
  V1NodeSelectorRequirement,
  V1NodeSelectorTerm,
  V1ObjectMeta,
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1Pod,
  V1PodCondition,
  V1PodSpec,
  V1PodStatus,
  V1Probe,
  V1ResourceFieldSelector,
  V1ResourceRequirements,
  V1SecurityContext,
  V1Toleration,
  V1Volume,
  V1VolumeMount,
  V1VolumeProjection,
} from "@kubernetes/client-node";
