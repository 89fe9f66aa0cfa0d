/**
 * The table of contents of the agent: one pod's facts in, one plan out. Called
 * by `sync/worker.ts` for every pass; never waits, never looks at the world.
 */
import { containersOf } from "../api/pod.ts";
import type { V1Pod } from "../api/types.ts";
import type { SandboxStatus } from "../port/runtime_status.ts";
import type { Action, Blocker } from "./action.ts";
import { clean, type Cleaning, filesOf, surplus } from "./clean.ts";
import { type ContainerPlan, planContainer } from "./containers.ts";
import { currentSandbox, type Facts, isGone } from "./facts.ts";
import { type Plan, wait } from "./plan.ts";
import { planSandbox, sandboxIsUsable } from "./sandbox.ts";
import type { PodState } from "./state.ts";
import { askForVolumes, releaseVolumes } from "./volumes.ts";
import { isHeld, mayStillRun, stopContainers, stopOrder } from "./stop.ts";
import { orderStops } from "./stop_order.ts";
import { planRefusal, refusedPlan } from "./refuse.ts";

export function decide(facts: Facts, nowMs: number): Plan {
  const ordered = orderStops(facts, plan(facts, nowMs), nowMs);
  return holdBack(facts, ordered, nowMs);
}

/** After a failed stop or removal nothing is taken away until its time. */
function holdBack(facts: Facts, whole: Plan, nowMs: number): Plan {
  const failure = facts.failures.get("remove");
  if (failure === undefined || failure.retryAtMs <= nowMs) return whole;
  const kept = whole.actions.filter(({ kind }) =>
    !kind.startsWith("stop-") && !kind.startsWith("remove-")
  );
  if (kept.length === whole.actions.length) return whole;
  const { reason, message, count, retryAtMs } = failure;
  return {
    ...whole,
    // A new sandbox must not come before the old one is stopped.
    actions: kept.some(({ kind }) => kind === "run-sandbox") ? [] : kept,
    wakeAtMs: Math.min(retryAtMs, whole.wakeAtMs ?? Infinity),
    blockers: [
      { what: reason, message, count, untilMs: retryAtMs },
      ...whole.blockers,
    ],
  };
}

function plan(facts: Facts, nowMs: number): Plan {
  if (facts.state.kind === "cleaning") return planClean(facts);
  const order = stopOrder(facts);
  if (order !== undefined) return planStop(facts, order, nowMs);
  if (facts.pod === undefined) return wait("sources", sourcesBlocker());
  if (facts.state.kind === "done" && facts.state.refusal !== undefined) {
    return refusedPlan(facts.state);
  }
  if (facts.rival !== undefined) return wait("name", rivalBlocker(facts));
  if (!facts.isAdmitted) {
    const instead = planRefusal(facts, facts.pod, nowMs);
    if (instead !== undefined) return instead;
  }
  const sandbox = currentSandbox(facts.observed);
  return sandbox !== undefined && sandboxIsUsable(facts, facts.pod)
    ? planRun(facts, { pod: facts.pod, sandbox }, nowMs)
    : planSandbox(facts, facts.pod, nowMs);
}

function planStop(
  facts: Facts,
  order: Extract<PodState, { kind: "stopping" }>["order"],
  nowMs: number,
): Plan {
  const { observed, state } = facts;
  const killAtMs = nowMs + order.graceSeconds * 1000;
  const standing = state.kind === "stopping" ? state.killAtMs : killAtMs;
  // Invariant: grace only shrinks, over passes and over failed attempts.
  const graceSeconds = Math.max(
    0,
    Math.ceil((Math.min(standing, killAtMs) - nowMs) / 1000),
  );
  const running = observed.containers.filter(mayStillRun);
  const isKept = isHeld(facts);
  const rest = isKept ? keep(facts) : clean(facts);
  // A pod whose sandbox never came up has left its directories all the same.
  const isLeft = !isKept && isGone(observed) && state.kind !== "stopping";
  const files = isLeft ? filesOf(facts) : [];
  return {
    next: running.length > 0
      ? { kind: "stopping", order, killAtMs: Math.min(standing, killAtMs) }
      : afterStop(facts),
    actions: [
      ...stopContainers(running, graceSeconds),
      ...rest.actions,
      ...files,
    ],
    blockers: running.length > 0
      ? [{
        what: "stopping",
        message: `${order.message}; waiting for ${running.length} container(s)`,
        untilMs: Math.min(standing, killAtMs),
      }]
      : rest.blockers,
    waiting: new Map(),
  };
}

function afterStop(facts: Facts): PodState {
  if (!isHeld(facts)) return { kind: "cleaning" };
  return facts.state.kind === "done" ? facts.state : { kind: "done" };
}

/**
 * Of a pod that its source still holds everything stays but its network: the
 * exit codes are told from it, and its logs are read.
 */
function keep(facts: Facts): Cleaning {
  const { observed, state } = facts;
  const sandboxes = observed.sandboxes.filter(({ isReady }) =>
    isReady || state.kind !== "done"
  );
  return {
    actions: [
      ...sandboxes.map(({ id }) => ({ kind: "stop-sandbox", id }) as const),
      ...observed.containers.some(mayStillRun) ? [] : releaseVolumes(facts),
    ],
    blockers: [],
  };
}

function planClean(facts: Facts): Plan {
  const rest = clean(facts);
  return {
    next: rest.actions.length === 0 ? { kind: "done" } : { kind: "cleaning" },
    ...rest,
    waiting: new Map(),
  };
}

/** The sandbox is ready: look at each container, in the order of the spec. */
function planRun(
  facts: Facts,
  place: { readonly pod: V1Pod; readonly sandbox: SandboxStatus },
  nowMs: number,
): Plan {
  const plans = containersOf(place.pod).map((container) => ({
    name: container.name,
    plan: planContainer(facts, { ...place, container }, nowMs),
  }));
  const kinds = plans.map(({ plan }) => plan);
  if (kinds.every((plan) => plan.kind === "finished")) {
    return planFinished(facts, place.sandbox);
  }
  const blockers = kinds.flatMap(blockersOf);
  const { volumes } = facts;
  const wakes = [
    ...blockers.flatMap(({ untilMs }) => untilMs ?? []),
    // Also where every container runs: the volumes are to stay fresh.
    ...volumes?.kind === "failed" ? [volumes.retryAtMs] : [],
  ];
  return {
    next: { kind: "running", sandboxId: place.sandbox.id },
    actions: [
      ...askForVolumes(facts, place.pod, nowMs),
      ...kinds.flatMap(actionsOf),
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

/** Nothing is to run again: free the network, keep what logs are read from. */
function planFinished(facts: Facts, sandbox: SandboxStatus): Plan {
  return {
    next: { kind: "running", sandboxId: sandbox.id },
    actions: [{ kind: "stop-sandbox", id: sandbox.id }, ...surplus(facts)],
    blockers: [],
    waiting: new Map(),
  };
}

function actionsOf(plan: ContainerPlan): readonly Action[] {
  return plan.kind === "act" || plan.kind === "wait" ? plan.actions : [];
}

function blockersOf(plan: ContainerPlan): Blocker[] {
  if (plan.kind === "wait") return [plan.blocker];
  return plan.kind === "refused"
    ? [{ what: "CreateContainerConfigError", message: plan.message }]
    : [];
}

function sourcesBlocker(): Blocker {
  return {
    what: "sources",
    message:
      "Not every source of pods could be read yet, so nothing is stopped",
  };
}

function rivalBlocker(facts: Facts): Blocker {
  return {
    what: "name",
    message: `An older pod of the same name is still here: ${facts.rival}`,
  };
}

function wakeAt(ms: number | undefined): { wakeAtMs?: number } {
  return ms === undefined ? {} : { wakeAtMs: ms };
}
