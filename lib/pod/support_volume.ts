/** What of volumes and their mounts this agent does not do yet, by field. */
import type {
  V1Volume,
  V1VolumeMount,
  V1VolumeProjection,
} from "../api/types.ts";

const BUILT: ReadonlySet<string> = new Set(
  [
    "configMap",
    "downwardAPI",
    "emptyDir",
    "hostPath",
    "projected",
    "secret",
  ] satisfies (keyof V1Volume)[],
);

const BUILT_PROJECTIONS: ReadonlySet<string> = new Set(
  [
    "configMap",
    "downwardAPI",
    "secret",
    "serviceAccountToken",
  ] satisfies (keyof V1VolumeProjection)[],
);

export function unsupportedInVolume(volume: V1Volume): string[] {
  const at = `spec.volumes[${volume.name}]`;
  const { emptyDir, projected } = volume;
  const medium = emptyDir?.medium ?? "";
  return [
    ...held(volume).filter((field) => field !== "name" && !BUILT.has(field))
      .map((field) => `${at}.${field}`),
    // Huge pages.
    ...medium === "" || medium === "Memory" ? [] : [`${at}.emptyDir.medium`],
    ...(projected?.sources ?? []).flatMap((source, index) =>
      held(source).filter((field) => !BUILT_PROJECTIONS.has(field))
        .map((field) => `${at}.projected.sources[${index}].${field}`)
    ),
  ];
}

/** Nobody measures what a pod writes to disk yet. */
export function ignoredInVolume({ name, emptyDir }: V1Volume): string[] {
  const isUnmeasured = emptyDir?.sizeLimit !== undefined &&
    emptyDir.medium !== "Memory";
  return isUnmeasured ? [`spec.volumes[${name}].emptyDir.sizeLimit`] : [];
}

export function unsupportedInMount(mount: V1VolumeMount): string[] {
  const { name, subPath, subPathExpr, mountPropagation } = mount;
  const fields: readonly [string, boolean][] = [
    ["subPath", (subPath ?? "") !== ""],
    ["subPathExpr", (subPathExpr ?? "") !== ""],
    ["mountPropagation", (mountPropagation ?? "None") !== "None"],
    ["recursiveReadOnly", mount.recursiveReadOnly === "Enabled"],
  ];
  return fields.filter(([, isWanted]) => isWanted)
    .map(([field]) => `volumeMounts[${name}].${field}`);
}

/** The fields that hold something. */
function held(owner: object): string[] {
  return Object.entries(owner)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([field]) => field);
}
