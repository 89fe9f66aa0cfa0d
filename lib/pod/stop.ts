/**
 * Who wants the pod stopped, and with how much grace: every reason reduced to
 * one order. The shortest grace wins and it never grows.
 */
import { isDeleted } from "../api/pod.ts";
import type { V1Pod } from "../api/types.ts";
import type { Action, ContainerToStop } from "./action.ts";
import { deadlineOrder } from "./deadline.ts";
import { evictionOrder } from "./evicted.ts";
import type { Facts, ObservedContainer } from "./facts.ts";
import { remembered } from "./labels.ts";
import { preemptionOrder } from "./preempt.ts";
import { shutdownOrder } from "./shut_down.ts";
import type { StopOrder } from "./state.ts";

/** 68 years, so that times which are reckoned from it stay times. */
const LONGEST_GRACE_SECONDS = 2 ** 31 - 1;
const DEFAULT_GRACE_SECONDS = 30;

/** The order that holds now; undefined: the pod may run. */
export function stopOrder(facts: Facts): StopOrder | undefined {
  const { state } = facts;
  const standing = state.kind === "stopping" ? state.order : undefined;
  const order = orderOf(facts);
  if (order === undefined) return standing;
  return standing === undefined ? order : shorter(standing, order);
}

/** True for a pod that its source still holds, but that shall not run. */
export function isHeld(facts: Facts): boolean {
  return facts.pod !== undefined && orderOf(facts) !== undefined;
}

function orderOf(facts: Facts): StopOrder | undefined {
  const { pod } = facts;
  if (pod === undefined) {
    // Invariant: no pod is stopped because a source is silent.
    if (!facts.areSourcesReady) return undefined;
    return {
      kind: "removed",
      graceSeconds: graceOf(facts),
      message: "No source wants this pod any more",
    };
  }
  const [first, ...rest] = [
    ...isDeleted(pod) ? [deletedOrder(pod)] : [],
    ...facts.hasEnded ? [] : takenAway(facts),
  ];
  if (first !== undefined) return rest.reduce(shorter, first);
  if (!facts.hasEnded) {
    return facts.deadline?.isPast ? deadlineOrder(specGrace(pod)) : undefined;
  }
  return {
    kind: "finished",
    graceSeconds: specGrace(pod),
    message: "Its phase says that it has ended",
  };
}

/** The node takes it away: for another pod, for itself, with the machine. */
function takenAway(
  { uid, evicted, preemptions, shutdown }: Facts,
): readonly StopOrder[] {
  const preemption = preemptions.get(uid);
  return [
    ...preemption === undefined ? [] : [preemptionOrder(preemption)],
    ...evicted === undefined ? [] : [evictionOrder(evicted)],
    ...shutdown === undefined ? [] : [shutdownOrder(shutdown)],
  ];
}

function deletedOrder(pod: V1Pod): StopOrder {
  return {
    kind: "deleted",
    graceSeconds: containerGrace(pod),
    message: "The API server was told to delete it",
  };
}

/** Both orders hold; the pod gets the shorter grace. */
export function shorter(first: StopOrder, second: StopOrder): StopOrder {
  return second.graceSeconds < first.graceSeconds ? second : first;
}

/** Every one of them, in one action; see `stop_order.ts` for their order. */
export function stopContainers(
  running: readonly ObservedContainer[],
  graceSeconds: number,
): Action[] {
  if (running.length === 0) return [];
  const containers: ContainerToStop[] = running.map(({ id, name }) => ({
    id,
    name,
    graceSeconds,
    message: `Stopping container ${name}`,
  }));
  return [{ kind: "stop-containers", containers }];
}

export function mayStillRun(container: ObservedContainer): boolean {
  return container.state === "running" || container.state === "unknown";
}

/** From the pod while it is known, else from what its containers carry. */
function graceOf(facts: Facts): number {
  const written = facts.observed.containers
    .map((container) => remembered(container.annotations).graceSeconds)
    .filter((seconds) => seconds !== undefined);
  const [first] = written;
  return first === undefined ? specGrace(facts.pod) : secondsOf(first);
}

/**
 * Of one container whose pod goes on.
 * Compat: kubelet 1.36 setTerminationGracePeriod.
 */
export function containerGrace(pod: V1Pod): number {
  const { deletionGracePeriodSeconds } = pod.metadata ?? {};
  return deletionGracePeriodSeconds === undefined
    ? specGrace(pod)
    : secondsOf(deletionGracePeriodSeconds);
}

export function specGrace(pod: V1Pod | undefined): number {
  const given = pod?.spec?.terminationGracePeriodSeconds;
  return given === undefined ? DEFAULT_GRACE_SECONDS : secondsOf(given);
}

/** The API has 64 bits; what no number holds arrives as its digits. */
export function secondsOf(given: number): number {
  return Math.min(Number(given), LONGEST_GRACE_SECONDS);
}
