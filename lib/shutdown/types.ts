/**
 * Types of the graceful shutdown: how long which pods get when the machine
 * goes down, and the orders that come of it. Pod, sync and node read them;
 * nobody else writes them than `run.ts`.
 */
import type { PodUid } from "../api/id.ts";

/** Pods from this priority on, up to that of the next group. */
export interface ShutdownGroup {
  readonly priority: number;
  /** How long the group gets, and at most each of its pods. */
  readonly seconds: number;
}

/** A pod has to go because the machine goes down. Writer: `run.ts`. */
export interface ShutdownOrder {
  readonly graceSeconds: number;
}

export type ShutdownOrders = ReadonlyMap<PodUid, ShutdownOrder>;

/** What `denolet explain` tells of it. */
export interface ShutdownView {
  readonly groups: readonly ShutdownGroup[];
  readonly stage: ShutdownStage;
  /** Longest time for which logind waits for us; undefined: it does not. */
  readonly delayMs: number | undefined;
  /** Why a shutdown may come unnoticed, or too fast. */
  readonly problem: string | undefined;
}

export type ShutdownStage =
  | { readonly kind: "up" }
  | {
    readonly kind: "ending-pods";
    readonly priority: number;
    readonly left: number;
    /** When the next group begins at the latest, epoch milliseconds. */
    readonly untilMs: number;
  }
  | { readonly kind: "telling" }
  | { readonly kind: "done"; readonly atMs: number };
