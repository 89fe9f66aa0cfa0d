/** What a pass shall do: the outcome of `decide`, read by the sync loop. */
import type { Action, Blocker } from "./action.ts";
import type { PodState } from "./state.ts";

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
