/**
 * Which volumes of a pod are to be made ready, where they are on the host and
 * what they are made from. Pure. The layout is contract: tools and people look
 * for `<podsDir>/<uid>/volumes/kubernetes.io~<kind>/<name>`.
 */
import { allContainersOf, uidOf } from "../api/pod.ts";
import type {
  V1DownwardAPIVolumeFile,
  V1KeyToPath,
  V1NodeSelectorTerm,
  V1Pod,
  V1Volume,
  V1VolumeProjection,
} from "../api/types.ts";
import { nestedDirectories } from "./nested.ts";
import {
  type Ground,
  memoryBytes,
  ownerOf,
  planStorage,
  type StorageVolume,
  type VolumeOwner,
} from "./plan_storage.ts";

/** Compat: API defaulting. */
const FILE_MODE = 0o644;
const TOKEN_SECONDS = 3600;

export interface VolumeSettings {
  /** Directory of the pods' own files: `<podsDir>/<uid>`. */
  readonly podsDir: string;
  /** Directory of what several pods share: `<pluginsDir>/<plugin>`. */
  readonly pluginsDir: string;
  /** What pods may use of this node now: `memory` → `7Gi`. */
  readonly allocatable: () => ReadonlyMap<string, string>;
  /** Whether this node is one that a persistent volume is for. */
  readonly fits?: (terms: readonly V1NodeSelectorTerm[]) => boolean;
}

/** A secret or config map of the pod's own namespace. */
export interface ObjectSource {
  readonly kind: "secret" | "configmap";
  readonly name: string;
  /** Empty: every key, under its own name. */
  readonly items: readonly V1KeyToPath[];
  readonly isOptional: boolean;
}

export interface TokenSource {
  readonly kind: "token";
  readonly path: string;
  /** Empty: the API server. */
  readonly audience: string;
  readonly expirationSeconds: number;
}

export interface DownwardSource {
  readonly kind: "downward-api";
  readonly items: readonly V1DownwardAPIVolumeFile[];
}

export type Source = ObjectSource | TokenSource | DownwardSource;

/** A directory of files that the agent writes. */
export interface FilesVolume {
  readonly kind: "files";
  readonly name: string;
  readonly path: string;
  readonly medium: "memory" | "disk";
  readonly sizeBytes: bigint;
  readonly defaultMode: number;
  readonly sources: readonly Source[];
  /** Where containers mount other volumes inside of this one. */
  readonly nested: readonly string[];
  readonly owner: VolumeOwner;
}

export type PlannedVolume = FilesVolume | StorageVolume;

export function groundOf(pod: V1Pod, settings: VolumeSettings): Ground {
  return {
    pod,
    directory: `${settings.podsDir}/${uidOf(pod)}`,
    pluginsDir: settings.pluginsDir,
    memoryBytes: memoryBytes(pod, settings.allocatable()),
    owner: ownerOf(pod),
  };
}

/** Compat: kubelet 1.36: a volume that nobody mounts is left alone. */
export function planVolumes(
  pod: V1Pod,
  settings: VolumeSettings,
): readonly PlannedVolume[] {
  const used = new Set(
    allContainersOf(pod).flatMap(({ volumeMounts, volumeDevices }) =>
      [...volumeMounts ?? [], ...volumeDevices ?? []].map(({ name }) => name)
    ),
  );
  const ground = groundOf(pod, settings);
  return (pod.spec?.volumes ?? [])
    .filter(({ name }) => used.has(name))
    .map((volume) => planVolume(ground, volume));
}

function planVolume(ground: Ground, volume: V1Volume): PlannedVolume {
  const { name, secret, configMap, downwardAPI, projected } = volume;
  if (projected !== undefined) {
    return files(ground, { name, type: "projected", medium: "memory" }, {
      defaultMode: projected.defaultMode,
      sources: (projected.sources ?? []).flatMap(projection),
    });
  }
  if (secret !== undefined) {
    const source = { ...secret, name: secret.secretName ?? "" };
    return files(ground, { name, type: "secret", medium: "memory" }, {
      defaultMode: secret.defaultMode,
      sources: [objectSource("secret", source)],
    });
  }
  if (configMap !== undefined) {
    // Not secret, so on disk. Compat: kubelet 1.36 wrappedVolumeSpec.
    return files(ground, { name, type: "configmap", medium: "disk" }, {
      defaultMode: configMap.defaultMode,
      sources: [objectSource("configmap", configMap)],
    });
  }
  if (downwardAPI !== undefined) {
    const items = downwardAPI.items ?? [];
    return files(ground, { name, type: "downward-api", medium: "memory" }, {
      defaultMode: downwardAPI.defaultMode,
      sources: [{ kind: "downward-api", items }],
    });
  }
  return planStorage(ground, volume);
}

function files(
  { pod, directory, memoryBytes, owner }: Ground,
  what: Pick<FilesVolume, "name" | "medium"> & { readonly type: string },
  from: {
    readonly defaultMode: number | undefined;
    readonly sources: readonly Source[];
  },
): FilesVolume {
  const { name, medium, type } = what;
  return {
    kind: "files",
    name,
    path: `${directory}/volumes/kubernetes.io~${type}/${name}`,
    medium,
    sizeBytes: memoryBytes,
    defaultMode: from.defaultMode ?? FILE_MODE,
    sources: from.sources,
    nested: nestedDirectories(name, allContainersOf(pod)),
    owner,
  };
}

function projection(source: V1VolumeProjection): Source[] {
  const { secret, configMap, downwardAPI, serviceAccountToken } = source;
  if (secret !== undefined) return [objectSource("secret", secret)];
  if (configMap !== undefined) return [objectSource("configmap", configMap)];
  if (downwardAPI !== undefined) {
    return [{ kind: "downward-api", items: downwardAPI.items ?? [] }];
  }
  if (serviceAccountToken === undefined) return [];
  const { path, audience = "", expirationSeconds } = serviceAccountToken;
  return [{
    kind: "token",
    path,
    audience,
    expirationSeconds: expirationSeconds ?? TOKEN_SECONDS,
  }];
}

function objectSource(
  kind: ObjectSource["kind"],
  source: { name?: string; items?: V1KeyToPath[]; optional?: boolean },
): ObjectSource {
  const { name = "", items, optional } = source;
  return { kind, name, items: items ?? [], isOptional: optional === true };
}
