/**
 * What the downward API tells a pod of itself in files. Pure.
 * Compat: kubelet 1.36 downwardapi.CollectData,
 * ExtractResourceValueByContainerNameAndNodeAllocatable.
 */
import { fieldText, type TextResult } from "../api/field_path.ts";
import { containerNamed, resourceText } from "../api/resource_field.ts";
import type { V1DownwardAPIVolumeFile, V1Pod } from "../api/types.ts";

export function downwardText(
  item: V1DownwardAPIVolumeFile,
  pod: V1Pod,
  allocatable: ReadonlyMap<string, string>,
): TextResult {
  const { fieldRef, resourceFieldRef } = item;
  if (fieldRef !== undefined) return fieldText(pod, fieldRef.fieldPath);
  if (resourceFieldRef === undefined) return { kind: "ok", text: "" };
  const { containerName = "" } = resourceFieldRef;
  const container = containerNamed(pod, containerName);
  return container === undefined
    ? { kind: "refused", message: `container ${containerName} not found` }
    : resourceText(resourceFieldRef, container, allocatable);
}
