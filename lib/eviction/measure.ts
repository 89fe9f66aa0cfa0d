/**
 * What was measured, in the terms of eviction: amounts by signal, use by pod.
 * Pure; `observe.ts` reads the machine for it. A measure that is missing, old
 * or impossible is left out with a word about it, so nobody acts on it.
 * Compat: kubelet 1.36 makeSignalObservations.
 */
import type { Signal } from "../api/eviction_signal.ts";
import { uidOf } from "../api/pod.ts";
import type { V1Pod } from "../api/types.ts";
import type { CgroupUse, FilesystemCounts } from "../port/usage.ts";
import type {
  DiskFigures,
  Figures,
  PodFigures,
  Taken,
} from "../stats/types.ts";
import type {
  ContainerUse,
  DiskLayout,
  DiskUse,
  Observation,
  Observations,
  PodUse,
} from "./types.ts";

/** Older than this a number tells nothing of now. */
const STALE_MS = 60_000;

/** What the machine told; undefined: nothing, or it could not be asked. */
export interface Measured {
  readonly node: CgroupUse | undefined;
  readonly allPods: CgroupUse | undefined;
  /** The cgroup above all pods; empty where there is none. */
  readonly allPodsPath: string;
  readonly memoryBytes: bigint;
  readonly root: FilesystemCounts | undefined;
  readonly images: FilesystemCounts | undefined;
  readonly containers: FilesystemCounts | undefined;
  readonly processes:
    | { readonly count: bigint; readonly limit: bigint }
    | undefined;
  readonly atMs: number;
}

export interface Judged {
  readonly observations: Observations;
  /** What is not known though it should be, and why. */
  readonly unknown: ReadonlyMap<Signal, string>;
}

const UNMEASURED = "could not be measured";

export function judge(measured: Measured, nowMs: number): Judged {
  const { node, allPods, memoryBytes, root, images, containers } = measured;
  const { processes, atMs } = measured;
  const found: (readonly [Signal, Observation | undefined])[] = [
    ["memory.available", memoryOf(node, memoryBytes)],
    ["allocatableMemory.available", memoryOf(allPods, memoryBytes)],
    ["nodefs.available", bytes(root, atMs)],
    ["nodefs.inodesFree", inodes(root, atMs)],
    ["imagefs.available", bytes(images, atMs)],
    ["imagefs.inodesFree", inodes(images, atMs)],
    ["containerfs.available", bytes(containers, atMs)],
    ["containerfs.inodesFree", inodes(containers, atMs)],
    [
      "pid.available",
      processes && {
        available: processes.limit - processes.count,
        capacity: processes.limit,
        atMs,
      },
    ],
  ];
  const observations = new Map<Signal, Observation>();
  const unknown = new Map<Signal, string>();
  for (const [signal, observation] of found) {
    const doubt = observation === undefined
      ? absenceOf(signal, measured)
      : doubtOf(observation, nowMs);
    if (doubt !== undefined) unknown.set(signal, doubt);
    else if (observation !== undefined) observations.set(signal, observation);
  }
  return { observations, unknown };
}

/** Undefined: there is no such thing here, and nobody misses it. */
function absenceOf(signal: Signal, measured: Measured): string | undefined {
  const { root, images, containers, allPodsPath } = measured;
  const isThere = {
    "memory.available": false,
    "allocatableMemory.available": allPodsPath === "",
    "nodefs.available": false,
    "nodefs.inodesFree": root !== undefined,
    "imagefs.available": false,
    "imagefs.inodesFree": images !== undefined,
    "containerfs.available": false,
    "containerfs.inodesFree": containers !== undefined,
    "pid.available": false,
  }[signal];
  return isThere ? undefined : UNMEASURED;
}

function doubtOf(
  { available, capacity, atMs }: Observation,
  nowMs: number,
): string | undefined {
  if (capacity <= 0n) return `has a capacity of ${capacity}`;
  if (available < 0n) return `has ${available} available`;
  if (available > capacity) {
    return `has ${available} available of only ${capacity}`;
  }
  const ageMs = nowMs - atMs;
  if (ageMs <= STALE_MS) return undefined;
  return `was measured ${Math.round(ageMs / 1000)} s ago`;
}

/** What the cgroup may have without what it cannot give back. */
export function memoryOf(
  use: CgroupUse | undefined,
  machineBytes: bigint,
): Observation | undefined {
  if (use?.memory === undefined) return undefined;
  const { limitBytes = machineBytes, workingSetBytes } = use.memory;
  const most = limitBytes < machineBytes ? limitBytes : machineBytes;
  const left = most - workingSetBytes;
  return { available: left < 0n ? 0n : left, capacity: most, atMs: use.atMs };
}

function bytes(
  disk: FilesystemCounts | undefined,
  atMs: number,
): Observation | undefined {
  if (disk === undefined) return undefined;
  const { availableBytes: available, capacityBytes: capacity } = disk;
  return { available, capacity, atMs };
}

/** Some file systems have no fixed number of them, and tell 0. */
function inodes(
  disk: FilesystemCounts | undefined,
  atMs: number,
): Observation | undefined {
  if (disk === undefined || disk.inodes === 0n) return undefined;
  return { available: disk.inodesFree, capacity: disk.inodes, atMs };
}

/** Undefined as long as one of the disks could not be looked at. */
export function layoutOf(
  { root, images, containers }: Pick<
    Measured,
    "root" | "images" | "containers"
  >,
): DiskLayout | undefined {
  if (root === undefined || images === undefined) return undefined;
  if (images.device === root.device) return "one";
  if (containers === undefined) return undefined;
  return containers.device === images.device ? "apart" : "split";
}

/** Of the pods that run and were measured. */
export function podUses(
  pods: readonly V1Pod[],
  figures: Figures,
  { disks, hostsBytes }: {
    /** Undefined: nothing on disk is asked for. */
    readonly disks: DiskFigures | undefined;
    readonly hostsBytes: ReadonlyMap<string, bigint>;
  },
): PodUse[] {
  const byUid = new Map(figures.pods.map((each) => [each.pod.uid, each]));
  return pods.flatMap((pod) => {
    const found = byUid.get(uidOf(pod));
    if (found === undefined) return [];
    return [{
      uid: uidOf(pod),
      pod,
      ...cgroupUse(found),
      containers: found.containers.map((each) => containerUse(each, disks)),
      volumes: volumeUses(found, disks),
      hostsBytes: hostsBytes.get(uidOf(pod)) ?? 0n,
    }];
  });
}

/** Of the pod's own cgroup, else of all that is in it. */
function cgroupUse({ whole, sandbox, containers }: PodFigures) {
  const parts = [...sandbox === undefined ? [] : [sandbox], ...containers]
    .map(({ use }) => use);
  const uses = whole === undefined ? parts : [whole.use];
  return {
    memoryBytes: sum(uses.map(({ memory }) => memory?.workingSetBytes)),
    processes: sum(uses.map(({ processes }) => processes)),
  };
}

/** Undefined when nothing of it is known. */
function sum(parts: readonly (bigint | undefined)[]): bigint | undefined {
  const known = parts.filter((each) => each !== undefined);
  if (known.length === 0) return undefined;
  return known.reduce((all, each) => all + each, 0n);
}

function containerUse(
  { container, use }: PodFigures["containers"][number],
  disks: DiskFigures | undefined,
): ContainerUse {
  const layer = disks?.layers.get(container.id);
  return {
    name: container.name,
    memoryBytes: use.memory?.workingSetBytes,
    layer: layer && { bytes: layer.usedBytes, inodes: layer.inodesUsed },
    logs: diskUseOf(disks?.logs.get(container.id)),
  };
}

function volumeUses(
  { pod }: PodFigures,
  disks: DiskFigures | undefined,
): PodUse["volumes"] {
  const taken = disks?.volumes.get(pod.uid);
  return new Map(pod.volumes.flatMap(({ name, medium, isEphemeral }) => {
    const use = isEphemeral ? diskUseOf(taken?.get(name)) : undefined;
    if (use === undefined) return [];
    return [[name, { ...use, isOnDisk: medium === "disk" }] as const];
  }));
}

function diskUseOf(taken: Taken | undefined): DiskUse | undefined {
  return taken && { bytes: taken.usedBytes, inodes: taken.inodes };
}
