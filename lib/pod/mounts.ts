/**
 * The volumes of a pod as mounts and devices of one container. Pure: paths
 * inside of volumes are bound when the container starts (sync/sub_paths.ts),
 * here it is only said which and where.
 * Compat: kubelet 1.36 makeMounts, makeBlockVolumes.
 */
import type {
  V1Container,
  V1Pod,
  V1Volume,
  V1VolumeMount,
} from "../api/types.ts";
import type {
  ContainerMount,
  ContainerSpec,
  MountPropagation,
} from "../port/runtime_spec.ts";
import type { MountedVolume } from "../volume/types.ts";
import type { SubPathMount } from "./action.ts";
import type { EnvPair } from "./env.ts";
import { subPathOf } from "./sub_path.ts";

export interface MountsParts {
  /** By the volume's name. */
  readonly volumes: ReadonlyMap<string, MountedVolume>;
  /** Of image volumes, by the volume's name: what the runtime shall mount. */
  readonly images: ReadonlyMap<string, string>;
  readonly env: readonly EnvPair[];
  /** `<podsDir>/<uid>` */
  readonly podDirectory: string;
  /** The runtime can make a mount and all below it read-only. */
  readonly hasRecursiveReadOnly: boolean;
}

export type MountsResult =
  | {
    readonly kind: "ok";
    readonly mounts: readonly ContainerMount[];
    readonly devices: ContainerSpec["devices"];
    readonly subPaths: readonly SubPathMount[];
  }
  | Refused;

interface Refused {
  readonly kind: "refused";
  readonly message: string;
}

type OneMount =
  | {
    readonly kind: "ok";
    readonly mount: ContainerMount;
    readonly subPath?: SubPathMount;
  }
  | Refused;

/** The agent writes them, so that no container may. */
const WRITTEN_BY_AGENT = [
  "configMap",
  "downwardAPI",
  "projected",
  "secret",
] as const satisfies readonly (keyof V1Volume)[];

const PROPAGATION: ReadonlyMap<string, MountPropagation> = new Map([
  ["None", "private"],
  ["HostToContainer", "host-to-container"],
  ["Bidirectional", "bidirectional"],
]);

/** In the order of the container. */
export function volumeMounts(
  pod: V1Pod,
  container: V1Container,
  parts: MountsParts,
): MountsResult {
  const sources = new Map(
    (pod.spec?.volumes ?? []).map((volume) => [volume.name, volume]),
  );
  const mounts: ContainerMount[] = [];
  const subPaths: SubPathMount[] = [];
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const volume = parts.volumes.get(mount.name);
    const source = sources.get(mount.name);
    if (volume === undefined || volume.isDevice || source === undefined) {
      return refused(
        `cannot find volume "${mount.name}" to mount into container ` +
          `"${container.name}"`,
      );
    }
    const at = { mount, index, volume, source, container: container.name };
    const made = oneMount(at, parts);
    if (made.kind === "refused") return made;
    mounts.push(made.mount);
    if (made.subPath !== undefined) subPaths.push(made.subPath);
  }
  const devices = volumeDevices(container, parts);
  if (devices.kind === "refused") return devices;
  return { kind: "ok", mounts, subPaths, devices: devices.devices };
}

interface MountAt {
  readonly mount: V1VolumeMount;
  readonly index: number;
  readonly volume: MountedVolume;
  readonly source: V1Volume;
  readonly container: string;
}

function oneMount(at: MountAt, parts: MountsParts): OneMount {
  const { mount, volume, source } = at;
  const path = subPathOf(mount, parts.env);
  if (path.kind === "refused") return path;
  const recursive = recursiveReadOnly(mount, parts);
  if (recursive.kind === "refused") return recursive;
  const mode = mount.mountPropagation ?? "None";
  const propagation = PROPAGATION.get(mode);
  if (propagation === undefined) {
    return refused(`invalid MountPropagation mode: "${mode}"`);
  }
  const { mountPath } = mount;
  const common = {
    containerPath: mountPath.startsWith("/") ? mountPath : `/${mountPath}`,
    isReadOnly: mount.readOnly === true || volume.isReadOnly ||
      isWrittenByAgent(source),
    isRecursiveReadOnly: recursive.isRecursive,
    // What is the host's own keeps its label.
    isSelinuxRelabelled: volume.isRelabelled && source.hostPath === undefined,
    propagation,
    uidMappings: [],
    gidMappings: [],
  };
  if (source.image !== undefined) return imageMount(at, parts, common);
  if (path.path === "") {
    return { kind: "ok", mount: { ...common, hostPath: volume.path } };
  }
  const subPath = subPathMount(at, parts, path.path);
  return {
    kind: "ok",
    mount: { ...common, hostPath: subPath.target },
    subPath,
  };
}

/** The runtime finds its way inside of an image by itself. */
function imageMount(
  { mount, container }: MountAt,
  { images, env }: MountsParts,
  common: Omit<ContainerMount, "hostPath" | "image">,
): OneMount {
  const ref = images.get(mount.name);
  const path = subPathOf(mount, env);
  if (ref === undefined || path.kind === "refused") {
    return refused(
      `cannot find volume "${mount.name}" to mount into container ` +
        `"${container}"`,
    );
  }
  const image = { ref, subPath: path.path };
  return {
    kind: "ok",
    mount: { ...common, hostPath: "", image, isReadOnly: true },
  };
}

function subPathMount(
  { mount, index, volume, container }: MountAt,
  { podDirectory }: MountsParts,
  path: string,
): SubPathMount {
  return {
    volumeName: mount.name,
    volume: volume.path,
    path,
    target: `${podDirectory}/volume-subpaths/${volume.specName}/` +
      `${container}/${index}`,
  };
}

/** Compat: kubelet 1.36 resolveRecursiveReadOnly, with its words. */
function recursiveReadOnly(
  mount: V1VolumeMount,
  { hasRecursiveReadOnly }: Pick<MountsParts, "hasRecursiveReadOnly">,
): { readonly kind: "ok"; readonly isRecursive: boolean } | Refused {
  const { name, readOnly, mountPropagation } = mount;
  const wish = mount.recursiveReadOnly ?? "Disabled";
  if (wish === "Disabled") return { kind: "ok", isRecursive: false };
  const asked = `volume "${name}" requested recursive read-only mode`;
  const fault = (why: string) =>
    refused(`failed to resolve recursive read-only mode: ${why}`);
  if (readOnly !== true) return fault(`${asked}, but it is not read-only`);
  if ((mountPropagation ?? "None") !== "None") {
    return fault(
      `${asked}, but it is not compatible with propagation ` +
        `"${mountPropagation}"`,
    );
  }
  if (wish === "IfPossible") {
    return { kind: "ok", isRecursive: hasRecursiveReadOnly };
  }
  if (wish !== "Enabled") {
    return fault(`unknown recursive read-only mode "${wish}"`);
  }
  return hasRecursiveReadOnly
    ? { kind: "ok", isRecursive: true }
    : fault(`${asked}, but it is not supported by the runtime`);
}

function volumeDevices(
  container: V1Container,
  { volumes }: Pick<MountsParts, "volumes">,
):
  | { readonly kind: "ok"; readonly devices: ContainerSpec["devices"] }
  | Refused {
  const devices: ContainerSpec["devices"][number][] = [];
  for (const { name, devicePath } of container.volumeDevices ?? []) {
    if (!devicePath.startsWith("/")) {
      return refused(
        `error DevicePath \`${devicePath}\` must be an absolute path`,
      );
    }
    const volume = volumes.get(name);
    if (volume?.isDevice !== true) {
      return refused(
        `cannot find volume "${name}" to pass into container ` +
          `"${container.name}"`,
      );
    }
    devices.push({
      containerPath: devicePath,
      hostPath: volume.path,
      permissions: volume.isReadOnly ? "r" : "mrw",
    });
  }
  return { kind: "ok", devices };
}

/**
 * Groups that users of these volumes must be in besides.
 * Compat: kubelet 1.36 GetExtraSupplementalGroupsForPod.
 */
export function volumeGroups(
  volumes: ReadonlyMap<string, MountedVolume>,
  known: readonly bigint[],
): bigint[] {
  const groups = [...volumes.values()].map(({ group }) => group)
    .filter((group) => /^\d{1,10}$/.test(group))
    .map(BigInt);
  return [...new Set(groups)].filter((group) => !known.includes(group));
}

function isWrittenByAgent(volume: V1Volume): boolean {
  return WRITTEN_BY_AGENT.some((field) => volume[field] !== undefined);
}

function refused(message: string): Refused {
  return { kind: "refused", message };
}

/** A file of the agent's own, for a container to read and write. */
export function ownFileMount(
  containerPath: string,
  hostPath: string,
): ContainerMount {
  return {
    containerPath,
    hostPath,
    isReadOnly: false,
    isRecursiveReadOnly: false,
    isSelinuxRelabelled: true,
    propagation: "private",
    uidMappings: [],
    gidMappings: [],
  };
}
