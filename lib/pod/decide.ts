/**
 * The table of contents of the agent: one pod's facts in, one plan out. Called
 * by `sync/worker.ts` for every pass; never waits, never looks at the world.
 */
import type { Blocker } from "./action.ts";
import { clean, type Cleaning, filesOf, removal } from "./clean.ts";
import { DEADLINE_NOTE } from "./deadline.ts";
import { freesDisk } from "./evicted.ts";
import {
  currentSandbox,
  type Facts,
  isGone,
  type ObservedContainer,
} from "./facts.ts";
import { type Plan, wait } from "./plan.ts";
import { planRefusal, refusedPlan } from "./refuse.ts";
import { planRun } from "./run.ts";
import { planSandbox, sandboxIsUsable } from "./sandbox.ts";
import type { PodState, StopOrder } from "./state.ts";
import { isHeld, mayStillRun, stopContainers, stopOrder } from "./stop.ts";
import { orderStops } from "./stop_order.ts";
import { releaseVolumes } from "./volumes.ts";

export function decide(facts: Facts, nowMs: number): Plan {
  const ordered = orderStops(facts, plan(facts, nowMs), nowMs);
  return untilDeadline(facts, holdBack(facts, ordered, nowMs));
}

/** Looks again when the pod's time is over, unless it is on its way out. */
function untilDeadline({ deadline }: Facts, whole: Plan): Plan {
  const { kind } = whole.next;
  const isLive = kind === "waiting" || kind === "running";
  if (deadline === undefined || deadline.isPast || !isLive) return whole;
  const { wakeAtMs = Infinity } = whole;
  return { ...whole, wakeAtMs: Math.min(wakeAtMs, deadline.atMs) };
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
  const { cutOff = [] } = facts.observed;
  if (cutOff.length > 0) return planAnew(facts, cutOff);
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

/**
 * An agent that dies takes the start that it asked for with it. Nothing has
 * run, so there is nothing to tell: the container goes, and its log, by which
 * restarts are counted. The kubelet tells of a failure, which is the end of a
 * pod that may not start again.
 */
function planAnew(facts: Facts, cutOff: readonly ObservedContainer[]): Plan {
  return {
    next: facts.state,
    actions: cutOff.map((each) => removal(facts, each)),
    blockers: [{
      what: "start",
      message: `Making anew what was cut off at its start: ${
        cutOff.map(({ name }) => name).join(", ")
      }`,
    }],
    waiting: new Map(),
  };
}

function planStop(
  facts: Facts,
  order: StopOrder,
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
      ...isNewlyOverdue(facts, order) ? [DEADLINE_NOTE] : [],
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

function isNewlyOverdue({ state }: Facts, order: StopOrder): boolean {
  return order.kind === "overdue" &&
    (state.kind === "waiting" || state.kind === "running");
}

function afterStop(facts: Facts): PodState {
  if (!isHeld(facts)) return { kind: "cleaning" };
  return facts.state.kind === "done" ? facts.state : { kind: "done" };
}

/**
 * Of a pod that its source still holds everything stays but its network: the
 * exit codes are told from it, and its logs are read. Where it goes to free the
 * disk, its containers and logs do too, once its status tells of them.
 */
function keep(facts: Facts): Cleaning {
  const { observed, state, evicted } = facts;
  const dead = state.kind === "done" && freesDisk(evicted)
    ? observed.containers.filter((each) => each.state === "exited")
    : [];
  const sandboxes = observed.sandboxes.filter(({ isReady }) =>
    isReady || state.kind !== "done"
  );
  return {
    actions: [
      ...sandboxes.map(({ id }) => ({ kind: "stop-sandbox", id }) as const),
      ...observed.containers.some(mayStillRun) ? [] : releaseVolumes(facts),
      ...dead.map((each) => removal(facts, each)),
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
