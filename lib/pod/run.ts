/**
 * Whose turn it is among the containers of a pod whose sandbox is ready, and
 * when the pod has done its work. Called by decide.ts.
 * Compat: kubelet 1.36 computePodActions, second half.
 */
import { containersOf, ephemeralContainersOf } from "../api/pod.ts";
import { surplus } from "./clean.ts";
import {
  actionsOf,
  blockersOf,
  type NamedPlan,
  type PodPlace,
} from "./container_plan.ts";
import { planContainer } from "./containers.ts";
import type { Facts } from "./facts.ts";
import { hasFailedInit, planInit } from "./init.ts";
import type { Plan } from "./plan.ts";
import { planResize } from "./resize.ts";
import { isReset, resetActions } from "./restart_all.ts";
import { mayStillRun, specGrace, stopContainers } from "./stop.ts";
import { askForVolumes } from "./volumes.ts";

/**
 * The sandbox is ready. Ephemeral containers start whatever the others do; the
 * regular ones once all init containers have done their part.
 */
export function planRun(facts: Facts, place: PodPlace, nowMs: number): Plan {
  const { pod } = place;
  if (facts.isRestartingAll && !isReset(pod, facts.observed)) {
    return planReset(facts, place);
  }
  if (hasFailedInit(facts, pod)) return planFinished(facts, place);
  const init = planInit(facts, place, nowMs);
  const regular = init.isDone ? planRegular(facts, place, nowMs) : [];
  if (init.isDone && regular.every(({ plan }) => plan.kind === "finished")) {
    return planFinished(facts, place);
  }
  const plans = [
    ...planEphemeral(facts, place, nowMs),
    ...init.plans,
    ...regular,
  ];
  const resize = planResize(facts, {
    ...place,
    plans: [...init.plans, ...regular],
  }, nowMs);
  const blockers = [
    ...plans.flatMap(({ plan }) => blockersOf(plan)),
    ...resize.blockers,
  ];
  const { volumes } = facts;
  const wakes = [
    ...blockers.flatMap(({ untilMs }) => untilMs ?? []),
    // Also where every container runs: the volumes are to stay fresh.
    ...volumes?.kind === "failed" ? [volumes.retryAtMs] : [],
  ];
  return {
    next: { kind: "running", sandboxId: place.sandbox.id },
    actions: [
      ...askForVolumes(facts, pod, nowMs),
      ...resize.actions,
      ...plans.flatMap(({ plan }) => actionsOf(plan)),
      ...surplus(facts),
    ],
    ...wakeAt(wakes.length > 0 ? Math.min(...wakes) : undefined),
    blockers,
    waiting: new Map(
      plans.flatMap(({ name, plan }) =>
        blockersOf(plan).map((blocker) => [name, blocker] as const)
      ),
    ),
  };
}

function planRegular(
  facts: Facts,
  place: PodPlace,
  nowMs: number,
): NamedPlan[] {
  return containersOf(place.pod).map((container) => ({
    name: container.name,
    plan: planContainer(facts, { ...place, container, role: "regular" }, nowMs),
  }));
}

function planEphemeral(
  facts: Facts,
  place: PodPlace,
  nowMs: number,
): NamedPlan[] {
  return ephemeralContainersOf(place.pod).map((container) => ({
    name: container.name,
    plan: planContainer(
      facts,
      { ...place, container, role: "ephemeral" },
      nowMs,
    ),
  }));
}

/** Everything is removed; the next round begins from the first container. */
function planReset(facts: Facts, { pod, sandbox }: PodPlace): Plan {
  return {
    next: { kind: "running", sandboxId: sandbox.id },
    actions: resetActions(facts, pod),
    blockers: [{
      what: "restart",
      message: "A container's rule wants every container started anew",
    }],
    waiting: new Map(),
  };
}

/**
 * Nothing that counts is to run again: the sidecars and whatever else still
 * runs is stopped, the network is freed; what logs are read from stays.
 */
function planFinished(facts: Facts, { pod, sandbox }: PodPlace): Plan {
  const running = facts.observed.containers.filter(mayStillRun);
  return {
    next: { kind: "running", sandboxId: sandbox.id },
    actions: [
      ...stopContainers(running, specGrace(pod)),
      { kind: "stop-sandbox", id: sandbox.id },
      ...surplus(facts),
    ],
    blockers: [],
    waiting: new Map(),
  };
}

function wakeAt(ms: number | undefined): { wakeAtMs?: number } {
  return ms === undefined ? {} : { wakeAtMs: ms };
}
