/**
 * What a pod asks for that this agent does not do yet. A pod that would run
 * wrongly is refused with the field's name; what is merely not watched is
 * noted once and the pod runs.
 */
import {
  containersOf,
  ephemeralContainersOf,
  initContainersOf,
} from "../api/pod.ts";
import type { V1Container, V1Pod, V1PodSpec } from "../api/types.ts";
import {
  ignoredInVolume,
  unsupportedInMount,
  unsupportedInVolume,
} from "./support_volume.ts";

export interface Unsupported {
  /** Without these the pod would not be what its author means. */
  readonly refused: readonly string[];
  /** Accepted, but not acted on. */
  readonly ignored: readonly string[];
}

const REFUSED_POD_FIELDS = [
  "resourceClaims",
] as const satisfies readonly (keyof V1PodSpec)[];

const REFUSED_CONTAINER_FIELDS = [
  "volumeDevices",
] as const satisfies readonly (keyof V1Container)[];

const IGNORED_CONTAINER_FIELDS = [
  "livenessProbe",
  "readinessProbe",
  "startupProbe",
] as const satisfies readonly (keyof V1Container)[];

export function unsupported(pod: V1Pod): Unsupported {
  const { spec } = pod;
  if (spec === undefined) return { refused: [], ignored: [] };
  const containers = placed(pod);
  return {
    refused: [
      ...set(spec, REFUSED_POD_FIELDS).map((field) => `spec.${field}`),
      ...(spec.volumes ?? []).flatMap(unsupportedInVolume),
      ...containers.flatMap(refusedIn),
    ],
    ignored: [
      ...(spec.volumes ?? []).flatMap(ignoredInVolume),
      ...containers.flatMap(ignoredIn),
    ],
  };
}

interface Placed {
  /** `spec.containers[web]` */
  readonly at: string;
  readonly container: V1Container;
}

function placed(pod: V1Pod): Placed[] {
  const lists: [string, readonly V1Container[]][] = [
    ["initContainers", initContainersOf(pod)],
    ["containers", containersOf(pod)],
    ["ephemeralContainers", ephemeralContainersOf(pod)],
  ];
  return lists.flatMap(([list, containers]) =>
    containers.map((container) => ({
      at: `spec.${list}[${container.name}]`,
      container,
    }))
  );
}

function refusedIn({ at, container }: Placed): string[] {
  return [
    ...set(container, REFUSED_CONTAINER_FIELDS).map((f) => `${at}.${f}`),
    ...(container.volumeMounts ?? []).flatMap(unsupportedInMount)
      .map((field) => `${at}.${field}`),
  ];
}

function ignoredIn({ at, container }: Placed): string[] {
  return [
    ...set(container, IGNORED_CONTAINER_FIELDS).map((f) => `${at}.${f}`),
  ];
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
