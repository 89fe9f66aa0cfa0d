/**
 * The volumes of a pod as mounts of one container. Pure.
 * Compat: kubelet 1.36 makeMounts.
 */
import type { V1Container, V1Pod, V1Volume } from "../api/types.ts";
import type { ContainerMount } from "../port/runtime_spec.ts";

export type MountsResult =
  | { readonly kind: "ok"; readonly mounts: readonly ContainerMount[] }
  | { readonly kind: "refused"; readonly message: string };

/** The agent writes them, so that no container may. */
const WRITTEN_BY_AGENT = [
  "configMap",
  "downwardAPI",
  "projected",
  "secret",
] as const satisfies readonly (keyof V1Volume)[];

/** In the order of the container; `paths` is volume name → host path. */
export function volumeMounts(
  pod: V1Pod,
  container: V1Container,
  paths: ReadonlyMap<string, string>,
): MountsResult {
  const volumes = new Map(
    (pod.spec?.volumes ?? []).map((volume) => [volume.name, volume]),
  );
  const mounts: ContainerMount[] = [];
  for (const { name, mountPath, readOnly } of container.volumeMounts ?? []) {
    const hostPath = paths.get(name);
    const volume = volumes.get(name);
    if (hostPath === undefined || volume === undefined) {
      return {
        kind: "refused",
        message: `cannot find volume "${name}" to mount into container ` +
          `"${container.name}"`,
      };
    }
    mounts.push({
      containerPath: mountPath.startsWith("/") ? mountPath : `/${mountPath}`,
      hostPath,
      isReadOnly: readOnly === true || isWrittenByAgent(volume),
      isRecursiveReadOnly: false,
      // What is the host's own keeps its label.
      isSelinuxRelabelled: volume.hostPath === undefined,
      propagation: "private",
      uidMappings: [],
      gidMappings: [],
    });
  }
  return { kind: "ok", mounts };
}

function isWrittenByAgent(volume: V1Volume): boolean {
  return WRITTEN_BY_AGENT.some((field) => volume[field] !== undefined);
}
