/**
 * What the volume runner remembers of one pod, and which of its volumes are to
 * be made, or made again. Written by run.ts alone.
 */
import { afterFailure, type Backoff, dueAtMs } from "../base/backoff.ts";
import type { PodUid } from "../api/id.ts";
import type { V1Pod } from "../api/types.ts";
import type { ObjectHold, ReferencedObjects } from "../reference/types.ts";
import type { FilesVolume, PlannedVolume } from "./plan.ts";
import type { MountedVolume, VolumeState } from "./types.ts";

/** Compat: kubelet 1.36 exponentialbackoff; it never forgets by itself. */
const BACKOFF = {
  initialMs: 500,
  maxMs: 122_000,
  forgetAfterMs: Infinity,
};

export interface Entry {
  readonly uid: PodUid;
  /** As last asked for. */
  pod: V1Pod;
  planned: readonly PlannedVolume[];
  state: VolumeState;
  /** Names of the volumes that are to be made, or made again. */
  readonly todo: Set<string>;
  /** By the name of the volume, those that were made once. */
  readonly mounted: Map<string, MountedVolume>;
  /** By the name of the volume: the objects that its files are made from. */
  readonly holds: Map<string, ObjectHold>;
  /** Something changed: what failed before is tried again at once. */
  isUrgent: boolean;
  /** Not before; a change that comes in a burst is written once. */
  quietUntilMs: number;
  /** After a failure, until a success. */
  backoff: (Backoff & { readonly count: number }) | undefined;
  /** What the files tell of the pod itself; see aboutPod(). */
  told: string;
  readonly stop: AbortController;
  work: Promise<void> | undefined;
}

export function newEntry(uid: PodUid, pod: V1Pod, nowMs: number): Entry {
  return {
    uid,
    pod,
    planned: [],
    state: { kind: "preparing", sinceMs: nowMs },
    todo: new Set(),
    mounted: new Map(),
    holds: new Map(),
    isUrgent: false,
    quietUntilMs: -Infinity,
    backoff: undefined,
    told: "",
    stop: new AbortController(),
    work: undefined,
  };
}

/** Nothing is done for the pod any more. */
export function endEntry({ stop, holds }: Entry): void {
  stop.abort(new DOMException("The pod is gone", "AbortError"));
  for (const hold of holds.values()) hold.close();
}

/** One hold for each volume, so that a change tells which one it is. */
export function holdFor(
  entry: Entry,
  volume: FilesVolume,
  from: {
    readonly references: ReferencedObjects;
    readonly changed: () => void;
  },
): ObjectHold {
  const known = entry.holds.get(volume.name);
  if (known !== undefined) return known;
  const made = from.references.hold(() => {
    entry.todo.add(volume.name);
    entry.isUrgent = true;
    from.changed();
  });
  entry.holds.set(volume.name, made);
  return made;
}

/** What of a pod its files may tell and may change while it runs. */
export function aboutPod({ metadata, spec }: V1Pod): string {
  const tells = (spec?.volumes ?? []).some(({ downwardAPI, projected }) =>
    downwardAPI !== undefined || projected !== undefined
  );
  if (!tells) return "";
  const given = [...spec?.initContainers ?? [], ...spec?.containers ?? []]
    .map(({ resources }) => resources);
  return JSON.stringify([metadata?.labels, metadata?.annotations, given]);
}

/**
 * When its volumes are to be looked at without anybody asking; Infinity: not.
 * Pods that have not started yet are asked for again by the sync loop.
 */
export function refreshAtMs(entry: Entry, renewAtMs: number): number {
  const { state, backoff, todo, isUrgent, quietUntilMs } = entry;
  if (isUrgent) return quietUntilMs;
  if (state.kind !== "ready") return Infinity;
  if (backoff !== undefined) return dueAtMs(backoff);
  return todo.size > 0 ? quietUntilMs : renewAtMs;
}

/** After one more failure. */
export function backedOff({ backoff }: Entry, nowMs: number) {
  const count = (backoff?.count ?? 0) + 1;
  return { ...afterFailure(backoff, nowMs, BACKOFF), count };
}

/** Adds the volumes that have such a source to what is to be done. */
export function redo(
  { planned, todo }: Entry,
  source: FilesVolume["sources"][number]["kind"],
): void {
  for (const volume of planned) {
    if (volume.kind !== "files") continue;
    if (volume.sources.some(({ kind }) => kind === source)) {
      todo.add(volume.name);
    }
  }
}
