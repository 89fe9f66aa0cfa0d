/**
 * The memory of the sync loop: what is remembered of each pod between passes.
 * Disposable: everything here is rebuilt from the runtime after a restart. Each
 * pod's entry is written by worker.ts, new ones are entered by run.ts;
 * ARCHITECTURE.md says who writes what else there is.
 */
import type { ContainerId, PodUid } from "../api/id.ts";
import type { PodStatusJson } from "../api/status.ts";
import type { V1Pod } from "../api/types.ts";
import type { Blocker } from "../pod/action.ts";
import type { Failure, ObservedPod } from "../pod/facts.ts";
import { FIRST_STATE, type PodState } from "../pod/state.ts";

export interface PodMemory {
  readonly state: PodState;
  /** As last wanted; undefined for a pod found only in the runtime. */
  readonly pod: V1Pod | undefined;
  readonly observed: ObservedPod;
  /** Of those observed, the instances that a probe wanted ended. */
  readonly endedByProbe: ReadonlySet<ContainerId>;
  /** Of those, the instances that are to start anew with other resources. */
  readonly outgrown: ReadonlySet<ContainerId>;
  readonly failures: ReadonlyMap<string, Failure>;
  /** Undefined until looked for. */
  readonly loggedAttempts: ReadonlyMap<string, number> | undefined;
  readonly status: PodStatusJson | undefined;
  readonly blockers: readonly Blocker[];
}

export type Pods = Map<PodUid, PodMemory>;
export type PodsReader = ReadonlyMap<PodUid, PodMemory>;

const NONE_ENDED: ReadonlySet<ContainerId> = new Set();
const NO_FAILURES: ReadonlyMap<string, Failure> = new Map();

/** A pod of which nothing is known yet. */
export const EMPTY_MEMORY: PodMemory = {
  state: FIRST_STATE,
  pod: undefined,
  observed: { sandboxes: [], containers: [], atMs: 0 },
  endedByProbe: NONE_ENDED,
  outgrown: NONE_ENDED,
  failures: NO_FAILURES,
  loggedAttempts: undefined,
  status: undefined,
  blockers: [],
};
