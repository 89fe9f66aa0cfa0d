/**
 * What the server and the command line may see of the running agent: readers
 * only. `agent.ts` puts it together from the cells.
 */
import type { PodUid } from "../api/id.ts";
import type { PodStatusJson } from "../api/status.ts";
import type { DatedStep } from "../api/step.ts";
import type { V1Pod } from "../api/types.ts";
import type { Blocker } from "../pod/action.ts";
import type { RuntimeHealth } from "../pod/facts.ts";
import type { PodState } from "../pod/state.ts";
import type { ProbeView } from "../probe/types.ts";
import type { ManifestProblem } from "../source/types.ts";

export interface PodView {
  readonly uid: PodUid;
  /** The spec as wanted; of a pod on its way out, as last known. */
  readonly pod: V1Pod;
  readonly status: PodStatusJson;
  readonly state: PodState;
  /** What the pod waits for, most important first. */
  readonly blockers: readonly Blocker[];
  /** Absent: it has none, or they are not asked. */
  readonly probes?: readonly ProbeView[];
  /** Its place among those to be evicted; absent while nothing is short. */
  readonly eviction?: string;
  /** Oldest first. */
  readonly steps: readonly DatedStep[];
  /** The file or URL it was read from; absent once nobody wants it. */
  readonly manifest?: string;
  /** Directory of this pod's logs; a container's are `<name>/<attempt>.log`. */
  readonly logDirectory: string;
}

/** One background loop, for `denolet explain` without a pod. */
export interface LoopView {
  readonly name: string;
  /** What it does next, and why it is not idle if it is not. */
  readonly detail: string;
  /** Why it cannot do what it is for; absent while all is well. */
  readonly problem?: string;
  readonly lastAtMs: number | undefined;
  readonly nextAtMs: number | undefined;
}

export interface AgentView {
  readonly nodeName: string;
  readonly version: string;
  pods(): readonly PodView[];
  problems(): readonly ManifestProblem[];
  runtime(): RuntimeHealth;
  loops(): readonly LoopView[];
}
