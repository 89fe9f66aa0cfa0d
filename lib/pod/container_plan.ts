/** What one container needs now, and where it is looked at. */
import type { ContainerRole } from "../api/pod.ts";
import type { V1Container, V1EphemeralContainer, V1Pod } from "../api/types.ts";
import type { SandboxStatus } from "../port/runtime_status.ts";
import type { Action, Blocker } from "./action.ts";

export type ContainerPlan =
  /** Runs as it should. */
  | { readonly kind: "kept" }
  /** Ended, and is not to run again. */
  | { readonly kind: "finished" }
  /** Something is to be done at once. */
  | { readonly kind: "act"; readonly actions: readonly Action[] }
  /** Waits; `actions` may ask for what it waits for. */
  | {
    readonly kind: "wait";
    readonly blocker: Blocker;
    readonly actions: readonly Action[];
  }
  /** Cannot be started as written. */
  | { readonly kind: "refused"; readonly message: string };

export interface NamedPlan {
  readonly name: string;
  readonly plan: ContainerPlan;
}

/** A pod and the sandbox in which its containers run. */
export interface PodPlace {
  readonly pod: V1Pod;
  readonly sandbox: SandboxStatus;
}

export interface ContainerPlace extends PodPlace {
  readonly container: V1Container | V1EphemeralContainer;
  readonly role: ContainerRole;
}

export function actionsOf(plan: ContainerPlan): readonly Action[] {
  return plan.kind === "act" || plan.kind === "wait" ? plan.actions : [];
}

export function blockersOf(plan: ContainerPlan): Blocker[] {
  if (plan.kind === "wait") return [plan.blocker];
  return plan.kind === "refused"
    ? [{ what: "CreateContainerConfigError", message: plan.message }]
    : [];
}
