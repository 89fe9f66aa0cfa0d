/**
 * What a pod asks for that this agent does not do yet. A pod that would run
 * wrongly is refused with the field's name; what is merely not watched is
 * noted once and the pod runs.
 */
import { containersOf } from "../api/pod.ts";
import type { V1Pod } from "../api/types.ts";

export interface Unsupported {
  /** Without these the pod would not be what its author means. */
  readonly refused: readonly string[];
  /** Accepted, but not acted on. */
  readonly ignored: readonly string[];
}

export function unsupported(pod: V1Pod): Unsupported {
  const spec = pod.spec;
  const refused = [
    ...(spec?.initContainers ?? []).length > 0 ? ["spec.initContainers"] : [],
    ...(spec?.volumes ?? []).map((volume) => `spec.volumes[${volume.name}]`),
    ...spec?.runtimeClassName ? ["spec.runtimeClassName"] : [],
    ...spec?.hostUsers === false ? ["spec.hostUsers"] : [],
    ...(spec?.resourceClaims ?? []).length > 0 ? ["spec.resourceClaims"] : [],
    ...spec?.activeDeadlineSeconds ? ["spec.activeDeadlineSeconds"] : [],
  ];
  const ignored = [
    ...(spec?.hostAliases ?? []).length > 0 ? ["spec.hostAliases"] : [],
    ...containersOf(pod).flatMap((container) =>
      ["livenessProbe", "readinessProbe", "startupProbe", "lifecycle"]
        .filter((field) => Object.hasOwn(container, field))
        .map((field) => `spec.containers[${container.name}].${field}`)
    ),
  ];
  return { refused, ignored };
}
