/**
 * Stops go on beside the passes, for minutes if need be. Here a plan that
 * stops containers is fitted to that: what is under way is not ordered again
 * unless it shall end sooner, each order gets its hook and its place in the
 * pod's order, and what was to follow the stops waits for their end.
 */
import type { Action, ContainerToStop } from "./action.ts";
import { type Facts, type ObservedContainer, podIpOf } from "./facts.ts";
import { type Hook, hookOf } from "./hook.ts";
import { remembered, rememberedRank } from "./labels.ts";
import type { Plan } from "./plan.ts";
import type { Blocker } from "./action.ts";
import { stopRank } from "./stop_rank.ts";

/** Not before the containers have ended. */
const AFTER: ReadonlySet<Action["kind"]> = new Set([
  "release-volumes",
  "remove-cgroup",
  "remove-container",
  "remove-pod-files",
  "remove-sandbox",
  "run-sandbox",
  "stop-sandbox",
]);
/** Said and made with the new sandbox that they announce. */
const WITH_SANDBOX: ReadonlySet<Action["kind"]> = new Set([
  "make-cgroup",
  "make-pod-files",
  "note",
]);

export function orderStops(facts: Facts, plan: Plan, nowMs: number): Plan {
  if (!plan.actions.some(({ kind }) => kind === "stop-containers")) return plan;
  const isAnew = plan.actions.some(({ kind }) => kind === "run-sandbox");
  const actions = plan.actions.flatMap((action): readonly Action[] => {
    if (action.kind === "stop-containers") {
      const containers = ordersOf(facts, action.containers, nowMs);
      return containers.length === 0 ? [] : [{ ...action, containers }];
    }
    const isLater = AFTER.has(action.kind) ||
      (isAnew && WITH_SANDBOX.has(action.kind));
    return isLater ? [] : [action];
  });
  const failures = failuresOf(facts, plan, nowMs);
  const wakeAtMs = Math.min(
    plan.wakeAtMs ?? Infinity,
    ...failures.flatMap(({ untilMs }) => untilMs ?? []),
  );
  return {
    ...plan,
    // Not done while something runs.
    next: plan.next.kind === "done" ? facts.state : plan.next,
    actions,
    ...wakeAtMs === Infinity ? {} : { wakeAtMs },
    blockers: [...failures, ...plan.blockers],
  };
}

/** Those that are to be ordered now. */
function ordersOf(
  facts: Facts,
  containers: readonly ContainerToStop[],
  nowMs: number,
): ContainerToStop[] {
  const known = new Map(facts.observed.containers.map((c) => [c.id, c]));
  const ranked = containers.flatMap((asked) => {
    const container = known.get(asked.id);
    if (container === undefined) return [];
    return [{ asked, container, rank: rankOf(facts, container) }];
  });
  return ranked.flatMap(({ asked, container, rank }) => {
    const wantedMs = nowMs + asked.graceSeconds * 1000;
    const standing = facts.stops.get(asked.id);
    const { killAtMs: standingMs = Infinity, failure } = standing ?? {};
    const isDue = standing === undefined || wantedMs < standingMs ||
      (failure !== undefined && failure.retryAtMs <= nowMs);
    if (!isDue) return [];
    const preStop = preStopOf(facts, container);
    return [{
      ...asked,
      killAtMs: Math.min(wantedMs, standingMs),
      ...preStop === undefined ? {} : { preStop },
      after: ranked.filter((other) => other.rank < rank)
        .map((other) => other.asked.id),
    }];
  });
}

/** From the container itself: who stops it may not know its spec any more. */
export function preStopOf(
  facts: Facts,
  container: ObservedContainer,
): Hook | undefined {
  const { preStop, ports } = remembered(container.annotations);
  if (preStop === undefined || facts.name === undefined) return undefined;
  return hookOf(preStop, {
    pod: facts.name,
    container: container.name,
    ports,
    podIp: podIpOf(facts),
  });
}

function rankOf(facts: Facts, { name, annotations }: ObservedContainer) {
  const { pod } = facts;
  return rememberedRank(annotations) ??
    (pod === undefined ? 0 : stopRank(pod, name));
}

/** Stops that failed, in the order in which they are tried again. */
function failuresOf(facts: Facts, plan: Plan, nowMs: number): Blocker[] {
  const asked = new Set(
    plan.actions.flatMap((action) =>
      action.kind === "stop-containers"
        ? action.containers.map(({ id }) => id)
        : []
    ),
  );
  return [...facts.stops].flatMap(([id, { failure }]) => {
    if (failure === undefined || !asked.has(id)) return [];
    const { reason, message, count, retryAtMs } = failure;
    if (retryAtMs <= nowMs) return [];
    return [{ what: reason, message, count, untilMs: retryAtMs }];
  }).sort((one, other) => one.untilMs - other.untilMs);
}
