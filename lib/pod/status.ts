/**
 * PodStatus as a projection of the facts and of the plan made from them, as it
 * is to stand in the API server. The previous status is consulted only for
 * what the runtime cannot tell: when the pod was first seen, when a condition
 * last changed, and what there was of a container that is lost.
 * Compat: kubelet 1.36 generateAPIPodStatus, mergePodStatus, TerminatePod.
 */
import { containersOf, isStatic } from "../api/pod.ts";
import { qosClass } from "../api/qos.ts";
import type {
  ContainerStatusJson,
  PodPhase,
  PodStatusJson,
} from "../api/status.ts";
import type { V1Pod } from "../api/types.ts";
import { addresses } from "./addresses.ts";
import { conditions, observedGeneration } from "./conditions.ts";
import { secondsText } from "./container_state.ts";
import { type Facts, isGone } from "./facts.ts";
import { isTerminal, phase } from "./phase.ts";
import type { Plan } from "./plan.ts";
import { podResources } from "./pod_resources.ts";
import { resizeConditions } from "./resize_conditions.ts";
import { podAsSet } from "./resize.ts";
import { isReset } from "./restart_all.ts";
import { sandboxIsUsable } from "./sandbox.ts";
import type { Refusal, StopOrder } from "./state.ts";
import { isIllegal, statusesOf } from "./statuses.ts";
import { mayStillRun, stopOrder } from "./stop.ts";

export interface StatusPlace {
  readonly facts: Facts;
  readonly plan: Plan;
  readonly pod: V1Pod;
}

/** Of a pod at which nobody has looked yet: the runtime is away. */
export function unseenStatus(pod: V1Pod): PodStatusJson {
  return {
    phase: "Pending",
    conditions: [],
    qosClass: qosClass(pod),
    containerStatuses: [],
  };
}

/**
 * `previous` is what was projected last, or what the API server holds, as
 * plain JSON: the projection after a restart of the agent is then the same.
 */
export function podStatus(
  at: StatusPlace,
  previous: PodStatusJson | undefined,
  nowMs: number,
): PodStatusJson {
  const refusal = refusalOf(at, previous);
  if (refusal !== undefined) {
    return refusedStatus(at, { refusal, previous }, nowMs);
  }
  const { facts, pod } = at;
  const lists = statusesOf(at, previous, { isEnded: isEnded(at) });
  const statuses = [...lists.init, ...lists.regular];
  if (previous !== undefined && isIllegal(pod, previous, statuses)) {
    return previous;
  }
  const told = phaseOf(at, previous, statuses);
  return {
    ...generationOf(pod, previous),
    phase: told.phase,
    ...told.reason === undefined ? {} : { reason: told.reason },
    ...told.message === undefined ? {} : { message: told.message },
    conditions: [
      ...isTerminal(told.phase)
        ? []
        : resizeConditions(at, previous?.conditions ?? [], nowMs),
      ...conditions(
        {
          pod,
          phase: told.reached,
          statuses,
          hasSandbox: facts.settings.gates.hasReadyToStart
            ? sandboxIsUsable(facts, pod)
            : undefined,
          disruption: told.disruption,
          isResetting: facts.isRestartingAll && !isReset(pod, facts.observed),
        },
        previous?.conditions ?? [],
        nowMs,
      ),
    ],
    ...addresses(facts, pod, previous),
    startTime: previous?.startTime ?? firstSeen(facts, nowMs),
    qosClass: qosClass(pod),
    containerStatuses: lists.regular,
    ...lists.init.length === 0 ? {} : { initContainerStatuses: lists.init },
    ...lists.ephemeral.length === 0
      ? {}
      : { ephemeralContainerStatuses: lists.ephemeral },
    ...podResources(pod, podAsSet(facts, pod)),
  };
}

/**
 * Nothing of the pod runs any more, its network included, and nothing will.
 * Compat: kubelet 1.36 SyncTerminatingPod, before any final phase.
 */
function isEnded({ facts, plan }: StatusPlace): boolean {
  const { containers, sandboxes } = facts.observed;
  return (plan.next.kind === "cleaning" || plan.next.kind === "done") &&
    !containers.some(mayStillRun) && !sandboxes.some(({ isReady }) => isReady);
}

/** Also of a pod that was refused before the agent started. */
function refusalOf(
  { facts, plan }: StatusPlace,
  previous: PodStatusJson | undefined,
): Refusal | undefined {
  if (plan.next.kind === "done" && plan.next.refusal !== undefined) {
    return plan.next.refusal;
  }
  if (previous?.phase !== "Failed" || !isGone(facts.observed)) return undefined;
  if ((previous.containerStatuses ?? []).length > 0) return undefined;
  const { reason, message = "" } = previous;
  return reason === undefined ? undefined : { reason, message };
}

/** Compat: kubelet 1.36 rejectPod: nothing else stands in the status. */
function refusedStatus(
  { facts, pod }: StatusPlace,
  made: {
    readonly refusal: Refusal;
    readonly previous: PodStatusJson | undefined;
  },
  nowMs: number,
): PodStatusJson {
  const { refusal, previous } = made;
  return {
    ...generationOf(pod, previous),
    phase: "Failed",
    reason: refusal.reason,
    message: refusal.message,
    conditions: [],
    startTime: previous?.startTime ?? firstSeen(facts, nowMs),
    qosClass: qosClass(pod),
    containerStatuses: [],
  };
}

interface ToldPhase {
  readonly phase: PodPhase;
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
  /** The phase reached, which is told only when nothing runs any more. */
  readonly reached: PodPhase;
  readonly disruption: StopOrder["disruption"];
}

function phaseOf(
  at: StatusPlace,
  previous: PodStatusJson | undefined,
  statuses: readonly ContainerStatusJson[],
): ToldPhase {
  const { pod } = at;
  const final = finalPhase(pod, previous);
  if (final !== undefined) return final;
  const before = previous?.phase;
  const isOver = isEnded(at);
  const now = phase(pod, statuses, {
    isEnded: isOver,
    hasInitialized: hasBegunHere(at),
    isRestartingAll: at.facts.isRestartingAll,
  });
  const order = orderOf(at);
  const disruption = isOver ? order?.disruption : undefined;
  const words = disruption ?? order?.failed;
  const isFailed = words !== undefined || (isOver && !isStatic(pod));
  const isKept = isTerminal(now) && order?.failed === undefined;
  const reached = isKept || !isFailed ? now : "Failed";
  const isWithheld = isTerminal(reached) && !isOver;
  const told = isWithheld ? before ?? "Running" : reached;
  if (reached === "Failed" && words !== undefined && !isWithheld) {
    return { ...words, phase: told, reached, disruption };
  }
  const kept = told === before ? previous : undefined;
  const { reason, message } = kept ?? {};
  return { phase: told, reason, message, reached, disruption };
}

/** Compat: kubelet 1.36 HasAnyActiveRegularContainerStarted. */
function hasBegunHere({ facts, pod }: StatusPlace): boolean {
  const { containers, sandboxes } = facts.observed;
  const names = new Set(containersOf(pod).map(({ name }) => name));
  return containers.some(({ name, sandboxId }) =>
    names.has(name) && sandboxId === sandboxes[0]?.id
  );
}

/**
 * Invariant: a pod never leaves a terminal phase, nor its reason. Somebody
 * else may have set it; a manifest may not.
 */
function finalPhase(
  pod: V1Pod,
  previous: PodStatusJson | undefined,
): ToldPhase | undefined {
  const ended = [previous, isStatic(pod) ? undefined : pod.status]
    .find((status) => isTerminal(status?.phase));
  if (ended === undefined) return undefined;
  const last = ended.phase === "Succeeded" ? "Succeeded" : "Failed";
  const { reason, message } = ended;
  return { phase: last, reached: last, reason, message, disruption: undefined };
}

function orderOf({ facts, plan }: StatusPlace): StopOrder | undefined {
  if (facts.state.kind === "stopping") return facts.state.order;
  return plan.next.kind === "stopping" ? plan.next.order : stopOrder(facts);
}

/** It never goes back. */
function generationOf(
  pod: V1Pod,
  previous: PodStatusJson | undefined,
): { readonly observedGeneration?: number } {
  const { observedGeneration: now = 0 } = observedGeneration(pod);
  const highest = Math.max(now, previous?.observedGeneration ?? 0);
  return highest === 0 ? {} : { observedGeneration: highest };
}

/** A pod adopted after a restart started when its first sandbox did. */
function firstSeen(facts: Facts, nowMs: number): string {
  const created = facts.observed.sandboxes.map(({ createdAtMs }) =>
    createdAtMs
  );
  return secondsText(Math.min(nowMs, ...created));
}
