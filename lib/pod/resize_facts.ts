/**
 * What is known of a pod's resizes: a part of its facts. Written down by
 * `sync/allocations.ts` and `sync/resizes.ts`.
 */
import type { ContainerId } from "../api/id.ts";
import type { Allocation } from "./allocation.ts";

/** What was asked for and is not given. */
export interface PendingResize {
  readonly reason: "Deferred" | "Infeasible";
  /** As the pod's condition tells it. */
  readonly message: string;
  /** The generation of the pod that asks. */
  readonly generation: number;
  /** What is missing, with the sum, for people. */
  readonly words: string;
}

/** A resize that was given in this agent's life and is not over yet. */
export interface StartedResize {
  readonly generation: number;
  readonly atMs: number;
}

export interface ResizeFacts {
  /** What was set in the runtime; undefined: nobody wrote that down. */
  readonly actuated: Allocation | undefined;
  /**
   * Whether the pod's cgroup is as was given: `stale` from a resize until it
   * is set; of an adopted pod nobody knows, and `node/cgroups.ts` sees to it.
   */
  readonly cgroup: "current" | "stale" | "unknown";
  readonly pending: PendingResize | undefined;
  readonly started: StartedResize | undefined;
  /** Instances that were to be started anew for a resize, also once ended. */
  readonly outgrown: ReadonlySet<ContainerId>;
}

const NONE: ReadonlySet<ContainerId> = new Set();

export const NO_RESIZE: ResizeFacts = {
  actuated: undefined,
  cgroup: "current",
  pending: undefined,
  started: undefined,
  outgrown: NONE,
};
