/**
 * What of volumes this agent does not do yet, by field. What only one kind of
 * volume lacks is said by an event when the pod is there, as upstream does.
 */
import type { V1Volume, V1VolumeProjection } from "../api/types.ts";

const BUILT_PROJECTIONS: ReadonlySet<string> = new Set(
  [
    "configMap",
    "downwardAPI",
    "secret",
    "serviceAccountToken",
  ] satisfies (keyof V1VolumeProjection)[],
);

export function unsupportedInVolume({ name, projected }: V1Volume): string[] {
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
