/**
 * What a pod has been given, as opposed to what it asks for by now: the
 * resources of its containers and of the whole. Every decision sees the pod
 * with what it was given. Kept by `sync/allocations.ts`.
 * Compat: kubelet 1.36 allocationFromPod, updatePodFromAllocation.
 */
import {
  containersOf,
  initContainersOf,
  isSidecar,
  plannedContainersOf,
} from "../api/pod.ts";
import { parseQuantity } from "../api/quantity.ts";
import type {
  V1Container,
  V1Pod,
  V1ResourceRequirements,
} from "../api/types.ts";

export interface Allocation {
  /** By name; of the containers that can be resized. */
  readonly containers: ReadonlyMap<string, V1ResourceRequirements>;
  /** Of the pod as a whole. */
  readonly pod?: V1ResourceRequirements;
}

export interface ResizeGates {
  /** What is given for a pod as a whole may change while it runs. */
  readonly mayResizePods: boolean;
  /** Also of init containers that are no sidecars. */
  readonly mayResizeInit: boolean;
}

/** Everything the pod asks for. */
export function allocationOf(pod: V1Pod, gates: ResizeGates): Allocation {
  const whole = pod.spec?.resources;
  return {
    containers: new Map(
      resizable(pod, gates).map(({ name, resources }) => [
        name,
        resources ?? {},
      ]),
    ),
    ...gates.mayResizePods && whole ? { pod: whole } : {},
  };
}

/** Containers whose resources may change while they run. */
export function resizable(
  pod: V1Pod,
  { mayResizeInit }: ResizeGates,
): readonly V1Container[] {
  return [
    ...initContainersOf(pod).filter((each) => mayResizeInit || isSidecar(each)),
    ...containersOf(pod),
  ];
}

/** The pod with what it was given; the same pod where that is all it wants. */
export function allocatedPod(
  pod: V1Pod,
  allocation: Allocation | undefined,
  gates: ResizeGates,
): V1Pod {
  const { spec } = pod;
  if (allocation === undefined || spec === undefined) return pod;
  const isChanged = plannedContainersOf(pod).some(({ name, resources }) => {
    const given = allocation.containers.get(name);
    return given !== undefined && !isSame(resources, given);
  });
  const isOther = gates.mayResizePods &&
    !isSame(spec.resources, allocation.pod);
  if (!isChanged && !isOther) return pod;
  const give = (container: V1Container): V1Container => {
    const resources = allocation.containers.get(container.name);
    return resources === undefined ? container : { ...container, resources };
  };
  const whole = gates.mayResizePods ? allocation.pod : spec.resources;
  return withResources(pod, whole, give);
}

/** Other resources for the whole, and containers as `give` makes them. */
export function withResources(
  pod: V1Pod,
  whole: V1ResourceRequirements | undefined,
  give: (container: V1Container) => V1Container,
): V1Pod {
  const { spec } = pod;
  if (spec === undefined) return pod;
  const { resources: _resources, ...rest } = spec;
  return {
    ...pod,
    spec: {
      ...rest,
      ...whole === undefined ? {} : { resources: whole },
      containers: spec.containers.map(give),
      ...spec.initContainers === undefined
        ? {}
        : { initContainers: spec.initContainers.map(give) },
    },
  };
}

/** The same amounts, however they are written; nothing is as good as none. */
function isSame(
  one: V1ResourceRequirements | undefined,
  other: V1ResourceRequirements | undefined,
): boolean {
  return one === other ||
    (areSame(one?.requests, other?.requests) &&
      areSame(one?.limits, other?.limits));
}

type Written = Readonly<Record<string, string>> | undefined | null;

function areSame(one: Written, other: Written): boolean {
  const [a, b] = [Object.entries(one ?? {}), new Map(entries(other))];
  return a.length === b.size && a.every(([name, text]) => {
    const found = b.get(name);
    return found !== undefined && (found === text ||
      parseQuantity(found) === parseQuantity(text));
  });
}

function entries(list: Written): [string, string][] {
  return Object.entries(list ?? {});
}
