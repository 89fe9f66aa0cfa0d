/**
 * Which volumes of a pod are to be made ready, where they are on the host and
 * what they are made from. Pure. The layout is contract: tools and people look
 * for `<podsDir>/<uid>/volumes/kubernetes.io~<kind>/<name>`.
 */
import { uidOf } from "../api/pod.ts";
import { amountOf } from "../api/qos.ts";
import { parseQuantity, units } from "../api/quantity.ts";
import type {
  V1Container,
  V1DownwardAPIVolumeFile,
  V1KeyToPath,
  V1Pod,
  V1Volume,
  V1VolumeProjection,
} from "../api/types.ts";
import { nestedDirectories } from "./nested.ts";

/** Compat: API defaulting. */
const FILE_MODE = 0o644;
const TOKEN_SECONDS = 3600;

export interface VolumeSettings {
  /** Directory of the pods' own files: `<podsDir>/<uid>`. */
  readonly podsDir: string;
  /** What pods may use of this node now: `memory` → `7Gi`. */
  readonly allocatable: () => ReadonlyMap<string, string>;
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

/** A directory that the pod writes. */
export interface EmptyVolume {
  readonly kind: "empty-dir";
  readonly name: string;
  readonly path: string;
  readonly medium: "memory" | "disk";
  readonly sizeBytes: bigint;
  /** There once the directory is as it should be. */
  readonly readyFile: string;
  readonly owner: VolumeOwner;
}

export interface HostVolume {
  readonly kind: "host-path";
  readonly name: string;
  readonly path: string;
  /** Empty: whatever is there, or nothing. */
  readonly type: string;
}

/** Something this agent does not know; the pod is refused elsewhere. */
export interface UnknownVolume {
  readonly kind: "unknown";
  readonly name: string;
}

export type PlannedVolume =
  | FilesVolume
  | EmptyVolume
  | HostVolume
  | UnknownVolume;

export interface VolumeOwner {
  /** The one user of all containers; tokens are theirs. */
  readonly uid?: number;
  /** `fsGroup` */
  readonly gid?: number;
}

/** What is common to all volumes of one pod. */
interface Ground {
  readonly pod: V1Pod;
  readonly directory: string;
  readonly memoryBytes: bigint;
  readonly owner: VolumeOwner;
}

export function volumesDirectory(podsDir: string, uid: string): string {
  return `${podsDir}/${uid}/volumes`;
}

/** Compat: kubelet 1.36: a volume that nobody mounts is left alone. */
export function planVolumes(
  pod: V1Pod,
  settings: VolumeSettings,
): readonly PlannedVolume[] {
  const mounted = new Set(
    everyContainer(pod).flatMap(({ volumeMounts }) =>
      (volumeMounts ?? []).map(({ name }) => name)
    ),
  );
  const ground: Ground = {
    pod,
    directory: `${settings.podsDir}/${uidOf(pod)}`,
    memoryBytes: memoryBytes(pod, settings),
    owner: ownerOf(pod),
  };
  return (pod.spec?.volumes ?? [])
    .filter(({ name }) => mounted.has(name))
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
  return planOther(ground, volume);
}

function planOther(ground: Ground, volume: V1Volume): PlannedVolume {
  const { name, emptyDir, hostPath } = volume;
  if (hostPath !== undefined) {
    const { path, type = "" } = hostPath;
    return { kind: "host-path", name, path, type };
  }
  // Compat: API defaulting: a volume without a source is an empty directory.
  const isBare = Object.keys(volume).every((field) => field === "name");
  if (emptyDir === undefined && !isBare) return { kind: "unknown", name };
  const { directory, owner, memoryBytes } = ground;
  const { medium = "", sizeLimit } = emptyDir ?? {};
  if (medium !== "" && medium !== "Memory") return { kind: "unknown", name };
  const limit = positive(sizeLimit);
  return {
    kind: "empty-dir",
    name,
    path: `${directory}/volumes/kubernetes.io~empty-dir/${name}`,
    medium: medium === "Memory" ? "memory" : "disk",
    sizeBytes: limit !== undefined && limit < memoryBytes ? limit : memoryBytes,
    readyFile: `${directory}/plugins/kubernetes.io~empty-dir/${name}/ready`,
    owner,
  };
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
    nested: nestedDirectories(name, everyContainer(pod)),
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

function everyContainer(pod: V1Pod): readonly V1Container[] {
  return [...pod.spec?.initContainers ?? [], ...pod.spec?.containers ?? []];
}

/**
 * How much memory the pod may use, or all pods together.
 * Compat: kubelet 1.36 calculateEmptyDirMemorySize.
 */
function memoryBytes(pod: V1Pod, { allocatable }: VolumeSettings): bigint {
  const whole = positive(allocatable().get("memory")) ?? 0n;
  const limits = (pod.spec?.containers ?? []).map(({ resources }) =>
    amountOf(resources?.limits, "memory")
  );
  const sum = limits.reduce<bigint>((total, each) => total + (each ?? 0n), 0n);
  const isBound = limits.length > 0 && !limits.includes(undefined);
  const bytes = units(sum);
  return isBound && (whole === 0n || bytes < whole) ? bytes : whole;
}

function positive(text: string | undefined): bigint | undefined {
  const quantity = text === undefined ? undefined : parseQuantity(text);
  return quantity === undefined || quantity <= 0n ? undefined : units(quantity);
}

/** Compat: kubelet 1.36 FsUserFrom. */
function ownerOf(pod: V1Pod): VolumeOwner {
  const context = pod.spec?.securityContext;
  const users = new Set(
    everyContainer(pod).map(({ securityContext }) =>
      securityContext?.runAsUser ?? context?.runAsUser
    ),
  );
  const [uid] = users;
  return {
    ...(users.size !== 1 || uid === undefined ? {} : { uid: Number(uid) }),
    ...(context?.fsGroup === undefined ? {} : { gid: Number(context.fsGroup) }),
  };
}
