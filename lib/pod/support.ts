/**
 * What a pod asks for that this agent does not do yet. A pod that would run
 * wrongly is refused with the field's name. What only one kind of volume lacks
 * is said by an event when the pod is there, as upstream does.
 */
import type { V1Pod, V1Volume, V1VolumeProjection } from "../api/types.ts";

export interface Unsupported {
  /** Without these the pod would not be what its author means. */
  readonly refused: readonly string[];
}

const BUILT_PROJECTIONS: ReadonlySet<string> = new Set(
  [
    "configMap",
    "downwardAPI",
    "secret",
    "serviceAccountToken",
  ] satisfies (keyof V1VolumeProjection)[],
);

export function unsupported({ spec }: V1Pod): Unsupported {
  const volumes = spec?.volumes ?? [];
  const claims = spec?.resourceClaims ?? [];
  return {
    refused: [
      ...claims.length > 0 ? ["spec.resourceClaims"] : [],
      ...volumes.flatMap(refusedInVolume),
    ],
  };
}

function refusedInVolume({ name, projected }: V1Volume): string[] {
  const at = `spec.volumes[${name}]`;
  return (projected?.sources ?? []).flatMap((source, index) =>
    held(source).filter((field) => !BUILT_PROJECTIONS.has(field))
      .map((field) => `${at}.projected.sources[${index}].${field}`)
  );
}

/** The fields that hold something. */
function held(owner: object): string[] {
  return Object.entries(owner)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([field]) => field);
}
