/**
 * Who goes first? The pods that may be evicted for a signal, in order, with
 * the numbers that the order comes from. Pure and total: equals are told apart
 * by their age and uid, so that the same facts give the same order.
 * Compat: kubelet 1.36 rankMemoryPressure, rankDiskPressureFunc,
 * rankPIDPressure. Differs on purpose: of a pod that could not be measured
 * nothing is known, so it never goes; upstream has it go first.
 */
import type { Signal } from "../api/eviction_signal.ts";
import { isCritical } from "../api/priority.ts";
import { amountOf } from "../api/qos.ts";
import { units } from "../api/quantity.ts";
import { ownRequestsOf } from "../api/requests.ts";
import { hasPodResources } from "../api/resource_name.ts";
import type { V1Pod } from "../api/types.ts";
import { resourceOf } from "./thresholds.ts";
import type { DiskLayout, DiskUse, PodUse, Resource } from "./types.ts";

/** One pod in the order of eviction, with what decided its place. */
export interface Ranked {
  readonly use: PodUse;
  readonly used: bigint;
  readonly requested: bigint;
  /**
   * What counts for it among equals. Compat: kubelet 1.36 eviction disk(): of
   * inodes the bytes of disk that it asked for, so that whoever asked for some
   * goes after those who did not.
   */
  readonly setOff: bigint;
  readonly priority: number;
}

/** What of a pod counts for a disk. */
export interface DiskParts {
  readonly layers: boolean;
  readonly logs: boolean;
  readonly volumes: boolean;
}

export function rank(
  uses: readonly PodUse[],
  signal: Signal,
  layout: DiskLayout,
): Ranked[] {
  const resource = resourceOf(signal);
  return uses.filter(({ pod }) => !isCritical(pod)).flatMap((use) => {
    const used = usedOf(use, { signal, layout });
    if (used === undefined) return [];
    const requested = requestOf(use.pod, resource);
    const setOff = resource === "inodes"
      ? requestOf(use.pod, "ephemeral-storage")
      : requested;
    const priority = use.pod.spec?.priority ?? 0;
    return [{ use, used, requested, setOff, priority }];
  }).sort((one, other) => compare(one, other, resource));
}

function compare(one: Ranked, other: Ranked, resource: Resource): number {
  // Processes cannot be asked for: only the priority and the count matter.
  const exceeding = resource === "pids" ? 0 : exceeds(other) - exceeds(one);
  return exceeding || one.priority - other.priority ||
    sign((other.used - other.setOff) - (one.used - one.setOff)) ||
    younger(one.use.pod, other.use.pod) ||
    (one.use.uid < other.use.uid ? -1 : 1);
}

function exceeds({ used, requested }: Ranked): number {
  return used > requested ? 1 : 0;
}

export function excess({ used, requested }: Ranked): bigint {
  return used - requested;
}

function sign(value: bigint): number {
  return value === 0n ? 0 : value > 0n ? 1 : -1;
}

/** The younger pod loses less work. */
function younger(one: V1Pod, other: V1Pod): number {
  return createdAtMs(other) - createdAtMs(one);
}

function createdAtMs({ metadata }: V1Pod): number {
  const { creationTimestamp: at } = metadata ?? {};
  const ms = at === undefined ? 0 : new Date(at).getTime();
  return Number.isNaN(ms) ? 0 : ms;
}

/**
 * Whole units, rounded up; 0 for what cannot be asked for. Compat: kubelet
 * 1.36 GetResourceRequestQuantity: where anything is given for the pod as a
 * whole, its containers have no voice, nor has overhead alone.
 */
export function requestOf(pod: V1Pod, resource: Resource): bigint {
  if (resource === "inodes" || resource === "pids") return 0n;
  const { resources: whole, overhead } = pod.spec ?? {};
  const asked = hasPodResources(pod.spec)
    ? amountOf(whole?.requests, resource)
    : ownRequestsOf(pod).get(resource);
  if (asked === undefined || asked <= 0n) return 0n;
  return units(asked + (amountOf(overhead, resource) ?? 0n));
}

function usedOf(
  use: PodUse,
  { signal, layout }: { readonly signal: Signal; readonly layout: DiskLayout },
): bigint | undefined {
  switch (resourceOf(signal)) {
    case "memory":
      return use.memoryBytes;
    case "pids":
      return use.processes;
    case "ephemeral-storage":
      return diskUse(use, partsOf(signal, layout)).bytes;
    case "inodes":
      return diskUse(use, partsOf(signal, layout)).inodes;
  }
}

/** Compat: kubelet 1.36 buildSignalToRankFunc. */
export function partsOf(signal: Signal, layout: DiskLayout): DiskParts {
  const isOfImages = signal.startsWith("imagefs.");
  const isOfLayers = signal.startsWith("containerfs.");
  switch (layout) {
    case "one":
      return { layers: true, logs: true, volumes: true };
    case "apart": {
      const isApart = isOfImages || isOfLayers;
      return { layers: isApart, logs: !isApart, volumes: !isApart };
    }
    case "split":
      return { layers: !isOfImages, logs: !isOfImages, volumes: !isOfImages };
  }
}

export function diskUse(use: PodUse, parts: DiskParts): DiskUse {
  const counted = [
    ...use.containers.flatMap(({ layer, logs }) => [
      ...parts.layers && layer !== undefined ? [layer] : [],
      ...parts.logs && logs !== undefined ? [logs] : [],
    ]),
    ...parts.volumes
      ? [...use.volumes.values()].filter(({ isOnDisk }) => isOnDisk)
      : [],
  ];
  return {
    bytes: counted.reduce((sum, { bytes }) => sum + bytes, 0n),
    inodes: counted.reduce((sum, { inodes }) => sum + inodes, 0n),
  };
}
