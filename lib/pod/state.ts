/**
 * The life of a pod as one value that carries its own data, and the only
 * place that says which move is legal.
 *
 *   waiting ──► running ──► stopping ──► cleaning ──► done
 *      │           ▲  └ sandbox lost: waiting
 *      └───────────┴──► stopping (removed before it ran)
 *
 * `done` keeps what is left of an ended or deleted pod until its source lets
 * go of it; a pod that nobody wants is forgotten once it is gone.
 */
import type { SandboxId } from "../api/id.ts";

/** Who wants the pod stopped, and how fast. Grace only ever shrinks. */
export interface StopOrder {
  readonly kind:
    | "removed"
    | "replaced"
    | "finished"
    | "deleted"
    | "overdue"
    | "evicted"
    | "preempted"
    | "shutdown";
  /** Whole seconds between the stop signal and the kill; 0: at once. */
  readonly graceSeconds: number;
  readonly message: string;
  /** An eviction, preemption or shutdown, as it stands in the pod's status. */
  readonly disruption?: { readonly reason: string; readonly message: string };
  /** The pod has failed by it, with these words in its status. */
  readonly failed?: { readonly reason: string; readonly message: string };
}

/** Why the node does not take the pod, as it stands in the pod's status. */
export interface Refusal {
  readonly reason: string;
  readonly message: string;
}

/** What a waiting pod waits for. */
export type WaitingFor =
  | "sources"
  | "name"
  | "node"
  | "room"
  | "runtime"
  | "network"
  | "sandbox"
  | "support";

export type PodState =
  | { readonly kind: "waiting"; readonly for: WaitingFor }
  | { readonly kind: "running"; readonly sandboxId: SandboxId }
  | {
    readonly kind: "stopping";
    readonly order: StopOrder;
    readonly killAtMs: number;
  }
  | { readonly kind: "cleaning" }
  | { readonly kind: "done"; readonly refusal?: Refusal };

export const FIRST_STATE: PodState = { kind: "waiting", for: "sources" };

const MAY_BECOME: Readonly<
  Record<PodState["kind"], readonly PodState["kind"][]>
> = {
  waiting: ["waiting", "running", "stopping", "cleaning", "done"],
  running: ["running", "waiting", "stopping", "cleaning", "done"],
  stopping: ["stopping", "cleaning", "done"],
  cleaning: ["cleaning", "done"],
  done: ["done", "stopping", "cleaning", "waiting", "running"],
};

/** Invariant: a pod never leaves `stopping` or `cleaning` backwards. */
export function isLegalMove(from: PodState, to: PodState): boolean {
  return MAY_BECOME[from.kind].includes(to.kind);
}
