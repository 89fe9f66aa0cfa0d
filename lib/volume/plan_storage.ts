/**
 * Volumes that pods write to, as they are to be made: empty directories, paths
 * of the host, bound directories, shares of other machines, claims whose
 * volume is not known yet. Pure; called by plan.ts and claims.ts.
 */
import { allContainersOf } from "../api/pod.ts";
import { podLimit } from "../api/pod_limit.ts";
import { parseQuantity, units } from "../api/quantity.ts";
import type { V1NFSVolumeSource, V1Pod, V1Volume } from "../api/types.ts";
import { hugePageBytes } from "./huge_pages.ts";

/** A directory that the pod writes. */
export interface EmptyVolume {
  readonly kind: "empty-dir";
  readonly name: string;
  readonly path: string;
  readonly medium: "memory" | "disk" | "huge-pages";
  /** Of the whole file system, or of one huge page. */
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
  readonly isReadOnly: boolean;
}

/** A directory of this machine, bound below the pod's own. */
export interface BoundVolume {
  readonly kind: "bound";
  readonly name: string;
  readonly path: string;
  readonly source: string;
  readonly isReadOnly: boolean;
  readonly options: readonly string[];
  readonly readyFile: string;
  readonly owner: VolumeOwner;
  /** Where and as what it is mounted first, if the source is a device. */
  readonly asDevice: { readonly path: string; readonly fsType: string };
}

/** A device of this machine, for containers that want it as such. */
export interface DeviceVolume {
  readonly kind: "device";
  readonly name: string;
  /** The link that containers are told. */
  readonly path: string;
  readonly source: string;
  readonly isReadOnly: boolean;
}

export interface RemoteVolume {
  readonly kind: "nfs";
  readonly name: string;
  readonly path: string;
  readonly server: string;
  readonly exported: string;
  readonly options: readonly string[];
  readonly isReadOnly: boolean;
}

/** What is behind it, the API server knows. */
export interface ClaimVolume {
  readonly kind: "claim";
  readonly name: string;
  readonly claim: string;
  readonly isReadOnly: boolean;
  /** The claim must be the pod's own. */
  readonly isEphemeral: boolean;
  readonly usedAs: ReadonlySet<"mount" | "device">;
}

/** The runtime mounts it; only its image is fetched, elsewhere. */
export interface ImageVolume {
  readonly kind: "image";
  readonly name: string;
}

/** What cannot be made ready here, and why. */
export interface RefusedVolume {
  readonly kind: "refused";
  readonly name: string;
  readonly message: string;
}

export type StorageVolume =
  | EmptyVolume
  | HostVolume
  | BoundVolume
  | DeviceVolume
  | RemoteVolume
  | ClaimVolume
  | ImageVolume
  | RefusedVolume;

export interface VolumeOwner {
  /** The one user of all containers; tokens are theirs. */
  readonly uid?: number;
  /** `fsGroup` */
  readonly gid?: number;
  /** `fsGroupChangePolicy` */
  readonly change?: "always" | "on-root-mismatch";
}

/** What is common to all volumes of one pod. */
export interface Ground {
  readonly pod: V1Pod;
  /** `<podsDir>/<uid>` */
  readonly directory: string;
  readonly pluginsDir: string;
  readonly memoryBytes: bigint;
  readonly owner: VolumeOwner;
}

/** Compat: kubelet 1.36 local GetDeviceMountPath. */
export function deviceMounts(pluginsDir: string): string {
  return `${pluginsDir}/kubernetes.io/local-volume/mounts`;
}

/** Compat: kubelet 1.36 without the feature gate, in its words. */
const GIT_REPO = "git-repo volume plugin has been disabled; if necessary, it " +
  "may be re-enabled by enabling the feature-gate `GitRepoVolumeDriver`";

export function planStorage(ground: Ground, volume: V1Volume): StorageVolume {
  const { name, hostPath, nfs, image, persistentVolumeClaim } = volume;
  if (hostPath !== undefined) {
    const { path, type = "" } = hostPath;
    return { kind: "host-path", name, path, type, isReadOnly: false };
  }
  if (persistentVolumeClaim !== undefined) {
    const { claimName, readOnly } = persistentVolumeClaim;
    return planClaim(ground, name, {
      claim: claimName,
      isReadOnly: readOnly === true,
      isEphemeral: false,
    });
  }
  if (volume.ephemeral !== undefined) {
    return planClaim(ground, name, {
      claim: `${ground.pod.metadata?.name ?? ""}-${name}`,
      isReadOnly: false,
      isEphemeral: true,
    });
  }
  if (nfs !== undefined) {
    const isReadOnly = nfs.readOnly === true;
    return planNfs(ground, name, { nfs, isReadOnly, options: [] });
  }
  if (image !== undefined) return { kind: "image", name };
  return planEmptyOrRefused(ground, volume);
}

function planClaim(
  { pod }: Ground,
  name: string,
  own: Pick<ClaimVolume, "claim" | "isReadOnly" | "isEphemeral">,
): ClaimVolume {
  const usedAs = new Set<"mount" | "device">();
  for (const { volumeMounts, volumeDevices } of allContainersOf(pod)) {
    if (volumeMounts?.some((each) => each.name === name)) usedAs.add("mount");
    if (volumeDevices?.some((each) => each.name === name)) {
      usedAs.add("device");
    }
  }
  return { kind: "claim", name, ...own, usedAs };
}

/** Compat: kubelet 1.36 nfs, which gives nothing to a group. */
export function planNfs(
  { directory }: Ground,
  name: string,
  how: {
    readonly nfs: V1NFSVolumeSource;
    readonly isReadOnly: boolean;
    readonly options: readonly string[];
  },
): RemoteVolume {
  const { nfs, isReadOnly, options } = how;
  return {
    kind: "nfs",
    name,
    path: `${directory}/volumes/kubernetes.io~nfs/${name}`,
    server: nfs.server,
    exported: nfs.path,
    options,
    isReadOnly,
  };
}

function planEmptyOrRefused(ground: Ground, volume: V1Volume): StorageVolume {
  const { name, emptyDir, gitRepo, csi } = volume;
  if (gitRepo !== undefined) {
    return { kind: "refused", name, message: GIT_REPO };
  }
  if (csi !== undefined) return noDriver(name, csi.driver);
  // Compat: API defaulting: a volume without a source is an empty directory.
  const isBare = Object.keys(volume).every((field) => field === "name");
  if (emptyDir !== undefined || isBare) {
    return planEmpty(ground, name, emptyDir ?? {});
  }
  const [kind = "unknown"] = Object.keys(volume).filter((key) =>
    key !== "name"
  );
  return unsupportedKind(name, kind);
}

/** Compat: kubelet 1.36 csi newCsiDriverClient, in its words. */
export function noDriver(name: string, driver: string): RefusedVolume {
  const message = "kubernetes.io/csi: mounter.SetUpAt failed to get CSI " +
    `client: driver name ${driver} not found in the list of registered CSI ` +
    "drivers";
  return { kind: "refused", name, message };
}

export function unsupportedKind(name: string, kind: string): RefusedVolume {
  const message = `this node cannot mount volumes of type ${kind}`;
  return { kind: "refused", name, message };
}

function planEmpty(
  { pod, directory, owner, memoryBytes }: Ground,
  name: string,
  { medium = "", sizeLimit }: NonNullable<V1Volume["emptyDir"]>,
): EmptyVolume | RefusedVolume {
  const common = {
    kind: "empty-dir",
    name,
    path: `${directory}/volumes/kubernetes.io~empty-dir/${name}`,
    readyFile: `${directory}/plugins/kubernetes.io~empty-dir/${name}/ready`,
    // Compat: kubelet 1.36 emptyDir knows no policy.
    owner: { ...owner, change: "always" },
  } as const;
  const limit = positive(sizeLimit);
  const sizeBytes = limit !== undefined && limit < memoryBytes
    ? limit
    : memoryBytes;
  if (medium === "") return { ...common, medium: "disk", sizeBytes };
  if (medium === "Memory") return { ...common, medium: "memory", sizeBytes };
  const page = hugePageBytes(pod, medium);
  return page.kind === "refused"
    ? { kind: "refused", name, message: page.message }
    : { ...common, medium: "huge-pages", sizeBytes: page.bytes };
}

/**
 * How much memory the pod may use, or all pods together.
 * Compat: kubelet 1.36 calculateEmptyDirMemorySize.
 */
export function memoryBytes(
  pod: V1Pod,
  allocatable: ReadonlyMap<string, string>,
): bigint {
  const whole = positive(allocatable.get("memory")) ?? 0n;
  const limit = units(podLimit(pod, "memory") ?? 0n);
  return limit > 0n && (whole === 0n || limit < whole) ? limit : whole;
}

function positive(text: string | undefined): bigint | undefined {
  const quantity = text === undefined ? undefined : parseQuantity(text);
  return quantity === undefined || quantity <= 0n ? undefined : units(quantity);
}

/** Compat: kubelet 1.36 FsUserFrom. */
export function ownerOf(pod: V1Pod): VolumeOwner {
  const context = pod.spec?.securityContext;
  const users = new Set(
    allContainersOf(pod).map(({ securityContext }) =>
      securityContext?.runAsUser ?? context?.runAsUser
    ),
  );
  const [uid] = users;
  const isLazy = context?.fsGroupChangePolicy === "OnRootMismatch";
  return {
    ...(users.size !== 1 || uid === undefined ? {} : { uid: Number(uid) }),
    ...(context?.fsGroup === undefined ? {} : { gid: Number(context.fsGroup) }),
    ...(isLazy ? { change: "on-root-mismatch" as const } : {}),
  };
}
