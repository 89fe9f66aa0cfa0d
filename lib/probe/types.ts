/** Types of the probe runner that the pod core and the sync loop read. */
import type { ContainerId } from "../api/id.ts";

/** What the probes of one instance of a container say of it now. */
export interface Verdict {
  /** Its startup probe has passed, or it has none. */
  readonly isStarted: boolean;
  /** Its readiness probe passes, or it has none; never before it started. */
  readonly isReady: boolean;
  /** The probe that wants it ended and started again; undefined: none. */
  readonly failed: "liveness" | "startup" | undefined;
}

/** Containers without probes have none; absent: nobody asked yet. */
export type Verdicts = ReadonlyMap<ContainerId, Verdict>;

export type ProbeKind = "startup" | "readiness" | "liveness";

/** One probe as `denolet explain` shows it. */
export interface ProbeView {
  readonly container: string;
  readonly kind: ProbeKind;
  /** The last answer in words; undefined: not asked yet. */
  readonly last:
    | {
      readonly result: "success" | "failure" | "error";
      readonly message: string;
      readonly atMs: number;
    }
    | undefined;
  /** Answers of the same kind in a row. */
  readonly streak: number;
  /** How many of them it takes. */
  readonly threshold: number;
  /** It keeps its container from being ready. */
  readonly isInTheWay: boolean;
  /** Epoch milliseconds; undefined: not asked for now. */
  readonly nextAtMs: number | undefined;
}
