/**
 * One pass for one pod: facts, decide, apply, remember; again until there is
 * nothing to do but wait. The sole writer of a pod's memory.
 */
import type { Clock } from "../base/clock.ts";
import { chainOf, isAbort, toldOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Trail } from "../base/trail.ts";
import type { PodUid } from "../api/id.ts";
import type { PodStatusJson } from "../api/status.ts";
import type { Step } from "../api/step.ts";
import type { V1Pod } from "../api/types.ts";
import { familySteps } from "../pod/addresses.ts";
import type { Action, Blocker } from "../pod/action.ts";
import { decide } from "../pod/decide.ts";
import type { Plan } from "../pod/plan.ts";
import {
  type Facts,
  type Failure,
  isGone,
  type RuntimeHealth,
} from "../pod/facts.ts";
import { RESIZE_STEP } from "../pod/resize.ts";
import { isResizing, resizeSteps } from "../pod/resize_events.ts";
import { isLegalMove } from "../pod/state.ts";
import { podStatus } from "../pod/status.ts";
import { waitSteps } from "../pod/wait_steps.ts";
import type { Recorder } from "../port/recorder.ts";
import type { ContainerRuntime } from "../port/runtime.ts";
import { isAdmitted } from "./admission.ts";
import type { Allocations } from "./allocations.ts";
import { type Apply, stepOf } from "./apply.ts";
import {
  eventOf,
  isUnavailable,
  nextFailure,
  POST_START_HOOK_ERROR,
  reasonOf,
  RETRY,
} from "./failure.ts";
import { attemptsOf, gather, type GatherPorts, recoverIds } from "./gather.ts";
import { look, lookAgain, type LookPorts } from "./look.ts";
import type { Made } from "./observe.ts";
import type { ApplyPlace } from "./place.ts";
import type { Resizes } from "./resizes.ts";
import { EMPTY_MEMORY, type PodMemory, type Pods } from "./store.ts";
import type { UserIds } from "./user_ids.ts";

const UNHEARD_RETRY_MS = 1_000;
/** A pass ends when nothing is left to do; more rounds than this is a bug. */
const MOST_ROUNDS = 25;

export interface WorkerPorts extends LookPorts, GatherPorts {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly log: Logger;
  readonly recorder: Recorder;
  readonly apply: Apply;
  readonly userIds: GatherPorts["userIds"] & Pick<UserIds, "release">;
  readonly allocations:
    & GatherPorts["allocations"]
    & Pick<Allocations, "admit" | "forget">;
  readonly resizes:
    & GatherPorts["resizes"]
    & Pick<Resizes, "over" | "forget">;
  readonly wanted: GatherPorts["wanted"];
  readonly health: () => RuntimeHealth;
  readonly pods: Pods;
  /** Aborts when the agent ends. */
  readonly life: AbortSignal;
  /** Where it is noted what runs. */
  readonly trail?: Pick<Trail, "note">;
  /** The runtime did not answer; somebody should look at it. */
  readonly suspect: () => void;
  /** The status of a pod may be another. */
  readonly projected: (uid: PodUid) => void;
  /** A pod is gone; whoever waited for its name may go on. */
  readonly forgotten: (uid: PodUid) => void;
}

/** Runs one pass. Returns when to look again, epoch milliseconds. */
export async function pass(
  ports: WorkerPorts,
  uid: PodUid,
  signal: AbortSignal,
): Promise<number | undefined> {
  try {
    return await rounds(ports, uid, signal);
  } catch (error) {
    if (isAbort(error, signal)) return undefined;
    ports.log.warn("Cannot look at a pod; trying again", {
      uid,
      error: chainOf(error),
    });
    if (isUnavailable(error)) ports.suspect();
    else {
      ports.recorder.record(uid, {
        type: "Warning",
        reason: "FailedSync",
        message: `error determining status: ${chainOf(error)}`,
      });
    }
    return ports.clock.nowMs() + UNHEARD_RETRY_MS;
  }
}

async function rounds(
  ports: WorkerPorts,
  uid: PodUid,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { life } = ports;
  let observed = await look(ports, uid, signal);
  if (observed !== undefined) await recoverIds(ports, uid, signal);
  for (let round = 0; round < MOST_ROUNDS; round++) {
    if (observed === undefined) return waitForRuntime(ports, uid);
    const attempts = await attemptsOf(ports, uid, observed);
    const nowMs = ports.clock.nowMs();
    ports.trail?.note(`a pass of pod ${uid}`);
    const facts = gather(ports, uid, { observed, attempts, nowMs });
    const plan = decide(facts, nowMs);
    remember(ports, { facts, plan }, nowMs);
    if (isOver(facts, plan)) return forget(ports, uid);
    if (isAtRest(facts, plan)) return plan.wakeAtMs;
    const made: Made = { sandboxes: [], containers: [] };
    await applyAll(ports, { uid, signal, life, made }, plan.actions);
    observed = await lookAgain(ports, { uid, observed, made }, signal);
  }
  ports.log.error("A pod's pass did not come to rest", { uid });
  return ports.clock.nowMs() + RETRY.maxMs;
}

function remember(
  ports: WorkerPorts,
  at: { readonly facts: Facts; readonly plan: Plan },
  nowMs: number,
): void {
  const { facts, plan } = at;
  const memory = ports.pods.get(facts.uid) ?? EMPTY_MEMORY;
  if (!isLegalMove(facts.state, plan.next)) {
    throw new Error(`Illegal move ${facts.state.kind} to ${plan.next.kind}`);
  }
  const { pod, status: before } = memory;
  const status = pod && podStatus({ facts, plan, pod }, before, nowMs);
  const { next: state, blockers } = plan;
  update(ports, facts.uid, { state, blockers, status });
  if (pod !== undefined && status !== undefined) {
    for (const step of stepsOf(ports, facts, { pod, before, status })) {
      ports.recorder.record(facts.uid, step);
    }
    if (isAdmitted(state, facts.observed)) ports.allocations.admit(pod);
  }
  ports.preemptions.seen(facts.uid, nowMs);
  ports.projected(facts.uid);
}

/** What the change of a status tells. */
function stepsOf(
  { resizes }: WorkerPorts,
  { uid, resize }: Facts,
  seen: {
    readonly pod: V1Pod;
    readonly before: PodStatusJson | undefined;
    readonly status: PodStatusJson;
  },
): readonly Step[] {
  const { pod, before, status } = seen;
  const steps = resizeSteps(pod, { before, status }, resize.started);
  if (!isResizing(status)) resizes.over(uid);
  return [
    ...waitSteps(pod, before, status),
    ...familySteps(before, status),
    ...steps,
  ];
}

/** True when the same facts would give the same plan: nothing to do. */
function isAtRest(facts: Facts, plan: Plan): boolean {
  return plan.actions.length === 0 && plan.next.kind === facts.state.kind;
}

/** True when nobody wants the pod as it was and nothing is left of it. */
function isOver(facts: Facts, plan: Plan): boolean {
  const isLetGo = facts.pod === undefined || facts.state.kind === "cleaning";
  return isLetGo && plan.next.kind === "done" && isGone(facts.observed) &&
    plan.actions.length === 0;
}

function forget(ports: WorkerPorts, uid: PodUid): undefined {
  ports.pods.delete(uid);
  ports.images.forget(uid);
  ports.volumes.forget(uid);
  ports.references.forget(uid);
  ports.stops.forget(uid);
  ports.preemptions.forget(uid, ports.clock.nowMs());
  ports.userIds.release(uid);
  ports.allocations.forget(uid);
  ports.resizes.forget(uid);
  ports.forgotten(uid);
}

/** While the runtime is away nothing is known, so nothing is decided. */
function waitForRuntime(ports: WorkerPorts, uid: PodUid): undefined {
  const pod = ports.wanted().podOf(uid);
  const memory = ports.pods.get(uid) ?? EMPTY_MEMORY;
  const blocker: Blocker = {
    what: "runtime",
    message: ports.health().isReady
      ? "The runtime has not been listed yet"
      : ports.health().message,
  };
  ports.pods.set(uid, {
    ...memory,
    pod: pod ?? memory.pod,
    blockers: [blocker],
  });
}

/** In order; the first failure is remembered and ends the round. */
async function applyAll(
  ports: WorkerPorts,
  at: ApplyPlace,
  actions: readonly Action[],
): Promise<void> {
  const done = new Set<string>();
  for (const action of actions) {
    const step = stepOf(action);
    try {
      await ports.apply(action, at);
      done.add(step);
    } catch (error) {
      if (isAbort(error, at.signal)) throw error;
      if (isUnavailable(error)) throw error;
      fail(ports, { uid: at.uid, step, action }, error);
      // Several actions share a step: it has not succeeded if one failed.
      done.delete(step);
      break;
    }
  }
  for (const step of done) succeed(ports, at.uid, step);
}

function succeed(ports: WorkerPorts, uid: PodUid, step: string): void {
  const failures = ports.pods.get(uid)?.failures ?? new Map();
  if (!failures.has(step)) return;
  const left = new Map(failures);
  left.delete(step);
  update(ports, uid, { failures: left });
}

function fail(
  ports: WorkerPorts,
  at: {
    readonly uid: PodUid;
    readonly step: string;
    readonly action: Action;
  },
  error: unknown,
): void {
  const nowMs = ports.clock.nowMs();
  const failures = ports.pods.get(at.uid)?.failures ?? new Map();
  const before: Failure | undefined = failures.get(at.step);
  const message = toldOf(error);
  const reason = reasonOf(at.action, error);
  const failure = nextFailure(before, { reason, message }, nowMs);
  update(ports, at.uid, {
    failures: new Map(failures).set(at.step, failure),
  });
  // Of a resize its condition tells, and its event with it.
  const isTold = reason === POST_START_HOOK_ERROR || at.step === RESIZE_STEP;
  if (!isTold) {
    ports.recorder.record(at.uid, {
      type: "Warning",
      ...eventOf(at.action, message),
      ...at.action.kind === "start-container"
        ? { container: at.action.container.name }
        : {},
    });
  }
  ports.log.warn("A step of a pod failed", {
    uid: at.uid,
    step: at.action.kind,
    error: chainOf(error),
    retryInMs: failure.retryAtMs - nowMs,
  });
}

function update(
  ports: WorkerPorts,
  uid: PodUid,
  change: Partial<PodMemory>,
): void {
  const memory = ports.pods.get(uid) ?? EMPTY_MEMORY;
  ports.pods.set(uid, { ...memory, ...change });
}
