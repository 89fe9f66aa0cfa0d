/** What a pass shall do: the outcome of `decide`, read by the sync loop. */
import type { Action, Blocker } from "./action.ts";
import type { PodState, WaitingFor } from "./state.ts";

export interface Plan {
  readonly next: PodState;
  readonly actions: readonly Action[];
  /** Epoch milliseconds; absent: only a change wakes the pod. */
  readonly wakeAtMs?: number;
  /** What the pod waits for, most important first. */
  readonly blockers: readonly Blocker[];
  /** By container name: what keeps it from starting. */
  readonly waiting: ReadonlyMap<string, Blocker>;
}

/** Nothing is done until what the pod waits for has come. */
export function wait(reason: WaitingFor, blocker: Blocker): Plan {
  return {
    next: { kind: "waiting", for: reason },
    actions: [],
    ...blocker.untilMs === undefined ? {} : { wakeAtMs: blocker.untilMs },
    blockers: [blocker],
    waiting: new Map(),
  };
}
