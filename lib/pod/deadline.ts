/**
 * How long a pod may be active, counted from the start that its status tells:
 * so the count goes on over restarts of the agent.
 * Compat: kubelet 1.36 active_deadline.go.
 */
import type { V1Pod } from "../api/types.ts";
import type { Action } from "./action.ts";
import type { StopOrder } from "./state.ts";

export const DEADLINE_EXCEEDED = {
  reason: "DeadlineExceeded",
  message: "Pod was active on the node longer than the specified deadline",
} as const;

/** When the pod's time is over, and whether it is. */
export interface Deadline {
  readonly atMs: number;
  readonly isPast: boolean;
}

/** `startTime`: RFC 3339; without one the pod has started just now. */
export function deadlineOf(
  pod: V1Pod | undefined,
  startTime: string | undefined,
  nowMs: number,
): Deadline | undefined {
  const seconds = pod?.spec?.activeDeadlineSeconds;
  if (seconds === undefined || seconds === null) return undefined;
  const startMs = startTime === undefined ? NaN : Date.parse(startTime);
  const atMs = (Number.isNaN(startMs) ? nowMs : startMs) + seconds * 1000;
  return { atMs, isPast: atMs <= nowMs };
}

export function deadlineOrder(graceSeconds: number): StopOrder {
  return {
    kind: "overdue",
    graceSeconds,
    message: DEADLINE_EXCEEDED.message,
    failed: DEADLINE_EXCEEDED,
  };
}

export const DEADLINE_NOTE: Action = {
  kind: "note",
  type: "Normal",
  ...DEADLINE_EXCEEDED,
};
