/**
 * What is to be done so that a pod which runs has what it was given: its
 * containers in place, its cgroup, and the runtime's idea of its sandbox.
 * Called by run.ts. Whether it is given more, `resize_admit.ts` says; in what
 * order things are set, `resize_steps.ts`.
 * Compat: kubelet 1.36 computePodResizeAction,
 * computePodLevelResourcesResizeAction, IsPodResizeInProgress.
 */
import type { V1Container, V1Pod } from "../api/types.ts";
import type { Action, Blocker } from "./action.ts";
import { resizable } from "./allocation.ts";
import type { NamedPlan, PodPlace } from "./container_plan.ts";
import {
  type Facts,
  type Failure,
  instancesOf,
  type ObservedContainer,
} from "./facts.ts";
import { resizeAction } from "./resize_steps.ts";
import { differs, needsRestart, sizeOf, sizesOf } from "./size.ts";
import { type ContainerChange, NONE_DONE, podAt } from "./sized_pod.ts";

export const RESIZE_STEP = "resize";

/** How it goes on with a resize, for the plan of the pod. */
export interface ResizePlan {
  readonly actions: readonly Action[];
  readonly blockers: readonly Blocker[];
}

/** `plans` are those of the init and the regular containers. */
export function planResize(
  facts: Facts,
  place: PodPlace & { readonly plans: readonly NamedPlan[] },
  nowMs: number,
): ResizePlan {
  const waits = pendingBlockers(facts);
  const failure = currentFailure(facts);
  if (failure !== undefined && failure.retryAtMs > nowMs) {
    const { retryAtMs: untilMs, count } = failure;
    const message = `Resize failed: ${failure.message}`;
    const blocker = { what: RESIZE_STEP, message, untilMs, count };
    return { actions: [], blockers: [blocker, ...waits] };
  }
  const { pod, plans } = place;
  // One that ends for it first: its memory may be needed, or is to be less.
  const isEnding = facts.observed.containers.some(({ id, state }) =>
    state === "running" && facts.resize.outgrown.has(id)
  );
  if (isEnding) return { actions: [], blockers: waits };
  const kept = new Set(
    plans.flatMap(({ name, plan }) => plan.kind === "kept" ? [name] : []),
  );
  const changes = changesOf(facts, pod)
    .filter(({ container }) => kept.has(container.name));
  const isDue = changes.length > 0 || isPodOutgrown(facts, pod) ||
    isCgroupDue(facts, pod);
  return {
    actions: isDue ? [resizeAction(facts, place, changes)] : [],
    blockers: waits,
  };
}

/** Of containers that run: those that have not what they are to have. */
function changesOf(facts: Facts, pod: V1Pod): ContainerChange[] {
  return runningOf(facts, pod).flatMap((change) =>
    differs(change) ? [change] : []
  );
}

function runningOf(facts: Facts, pod: V1Pod): ContainerChange[] {
  return resizable(pod, facts.settings.gates).flatMap((container) => {
    const instance = instancesOf(facts.observed, container.name)[0];
    if (instance?.state !== "running") return [];
    const sizes = sizesOf(facts, { pod, container }, instance);
    return [{ container, id: instance.id, ...sizes }];
  });
}

/** What is given for the pod as a whole is not set yet. */
function isPodOutgrown({ resize, settings }: Facts, pod: V1Pod): boolean {
  const given = pod.spec?.resources;
  const record = resize.actuated?.pod;
  if (!settings.gates.mayResizePods) return false;
  if (!given || record === undefined) return false;
  return differs({ wanted: sizeOf(given), actual: sizeOf(record) });
}

/** A container is to be made that needs more of the pod's cgroup, or less. */
function isCgroupDue(facts: Facts, pod: V1Pod): boolean {
  const { cgroup, actuated } = facts.resize;
  if (cgroup === "stale") return true;
  if (cgroup === "current" || actuated === undefined) return false;
  return resizable(pod, facts.settings.gates).some(({ name, resources }) => {
    const record = actuated.containers.get(name);
    const instance = instancesOf(facts.observed, name)[0];
    return record !== undefined && instance?.state !== "running" &&
      differs({ wanted: sizeOf(resources ?? {}), actual: sizeOf(record) });
  });
}

/** One that was to be ended so that it starts with other resources. */
export function isOutgrown(
  facts: Pick<Facts, "settings" | "resize">,
  at: { readonly pod: V1Pod; readonly container: V1Container },
  instance: ObservedContainer,
): boolean {
  const { container, pod } = at;
  const { gates } = facts.settings;
  if ((container.resizePolicy ?? []).length === 0) return false;
  if (!resizable(pod, gates).includes(container)) return false;
  return needsRestart(container, sizesOf(facts, at, instance));
}

export type ResizeProgress =
  | { readonly kind: "none" }
  | { readonly kind: "under-way" }
  | { readonly kind: "failed"; readonly message: string };

export function resizeProgress(facts: Facts, pod: V1Pod): ResizeProgress {
  const isOpen = changesOf(facts, pod).length > 0 ||
    isPodOutgrown(facts, pod) || facts.resize.cgroup === "stale";
  if (!isOpen) return { kind: "none" };
  const failure = currentFailure(facts);
  return failure === undefined
    ? { kind: "under-way" }
    : { kind: "failed", message: failure.message };
}

/** The pod with what has been set of it so far. */
export function podAsSet(facts: Facts, pod: V1Pod): V1Pod {
  const changes = changesOf(facts, pod);
  return changes.length === 0 && !isPodOutgrown(facts, pod)
    ? pod
    : podAt(facts, pod, { changes, done: NONE_DONE });
}

/** A later resize begins anew. */
function currentFailure({ failures, resize }: Facts): Failure | undefined {
  const failure = failures.get(RESIZE_STEP);
  const sinceMs = resize.started?.atMs ?? 0;
  return failure === undefined || failure.failedAtMs < sinceMs
    ? undefined
    : failure;
}

function pendingBlockers({ resize: { pending } }: Facts): Blocker[] {
  return pending === undefined
    ? []
    : [{ what: RESIZE_STEP, message: pending.words }];
}
