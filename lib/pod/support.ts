/**
 * What a pod asks for that this agent does not do yet. A pod that would run
 * wrongly is refused with the field's name.
 */
import type { V1Pod, V1PodSpec } from "../api/types.ts";
import { unsupportedInVolume } from "./support_volume.ts";

export interface Unsupported {
  /** Without these the pod would not be what its author means. */
  readonly refused: readonly string[];
}

const REFUSED_POD_FIELDS = [
  "resourceClaims",
] as const satisfies readonly (keyof V1PodSpec)[];

export function unsupported(pod: V1Pod): Unsupported {
  const { spec } = pod;
  if (spec === undefined) return { refused: [] };
  return {
    refused: [
      ...set(spec, REFUSED_POD_FIELDS).map((field) => `spec.${field}`),
      ...(spec.volumes ?? []).flatMap(unsupportedInVolume),
    ],
  };
}

/** The fields of `keys` that hold something. */
function set<T extends object, Key extends keyof T & string>(
  owner: T,
  keys: readonly Key[],
): Key[] {
  return keys.filter((key) => {
    const value = owner[key];
    return Array.isArray(value)
      ? value.length > 0
      : value !== undefined && value !== null && value !== "";
  });
}
