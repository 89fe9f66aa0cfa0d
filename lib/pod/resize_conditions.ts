/**
 * The two conditions that tell of a resize: it waits, or it is under way.
 * Called by status.ts.
 * Compat: kubelet 1.36 SetPodResizePendingCondition,
 * SetPodResizeInProgressCondition, updatedPodResizeCondition.
 */
import type { PodConditionJson } from "../api/status.ts";
import type { V1Pod } from "../api/types.ts";
import { secondsText } from "./container_state.ts";
import type { Facts } from "./facts.ts";
import { resizeProgress } from "./resize.ts";

export const PENDING = "PodResizePending";
export const IN_PROGRESS = "PodResizeInProgress";

export function resizeConditions(
  { facts, pod }: { readonly facts: Facts; readonly pod: V1Pod },
  previous: readonly PodConditionJson[],
  nowMs: number,
): PodConditionJson[] {
  const { pending } = facts.resize;
  const progress = progressOf(facts, pod, find(previous, IN_PROGRESS));
  return [
    ...pending === undefined
      ? []
      : [{ ...pending, type: PENDING, generation: pending.generation }],
    ...progress === undefined ? [] : [{ ...progress, type: IN_PROGRESS }],
  ].map((each) => condition(each, find(previous, each.type), nowMs));
}

interface Told {
  readonly type: string;
  readonly generation: number;
  readonly reason?: string;
  readonly message?: string;
}

/** It keeps its generation and its error until another resize is given. */
function progressOf(
  facts: Facts,
  pod: V1Pod,
  before: PodConditionJson | undefined,
): Omit<Told, "type"> | undefined {
  const progress = resizeProgress(facts, pod);
  if (progress.kind === "none") return undefined;
  const { started } = facts.resize;
  const now = pod.metadata?.generation ?? 0;
  const generation = started?.generation ?? before?.observedGeneration ?? now;
  if (progress.kind === "failed") {
    return { generation, reason: "Error", message: progress.message };
  }
  const isSame = before?.observedGeneration === generation;
  const { reason, message } = isSame ? before : {};
  return {
    generation,
    ...reason === undefined ? {} : { reason },
    ...message === undefined ? {} : { message },
  };
}

function condition(
  { type, generation, reason, message }: Told,
  before: PodConditionJson | undefined,
  nowMs: number,
): PodConditionJson {
  const isSame = before !== undefined &&
    (before.reason ?? "") === (reason ?? "");
  return {
    type,
    ...generation === 0 ? {} : { observedGeneration: generation },
    status: "True",
    ...reason === undefined ? {} : { reason },
    ...message === undefined ? {} : { message },
    lastTransitionTime: isSame ? before.lastTransitionTime : secondsText(nowMs),
  };
}

function find(
  list: readonly PodConditionJson[],
  type: string,
): PodConditionJson | undefined {
  return list.find((each) => each.type === type);
}
