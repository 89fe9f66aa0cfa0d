/**
 * Who goes so that a critical pod finds room? The fewest and least promised
 * pods whose requests make up what is missing. Pure; `room.ts` plans by it.
 * Compat: kubelet 1.36 getPodsToPreempt. Of pods that are equal upstream takes
 * any; here the youngest goes, so that the same facts give the same victims.
 */
import type { PodUid } from "../api/id.ts";
import { uidOf } from "../api/pod.ts";
import { isCritical } from "../api/priority.ts";
import { qosClass } from "../api/qos.ts";
import { requestsOf } from "../api/requests.ts";
import type { V1Pod } from "../api/types.ts";
import { countOf, missing, PODS, type Shortage } from "./fit.ts";
import type { StopOrder } from "./state.ts";

/** A pod has to go for another. Writer: `sync/preemptions.ts`. */
export interface Preemption {
  /** Whole seconds, as the pod itself wants them. */
  readonly graceSeconds: number;
  /** Epoch milliseconds; nobody waits longer for its end. */
  readonly untilMs: number;
}

/** By the pods that have to go. */
export type Preemptions = ReadonlyMap<PodUid, Preemption>;

/** Compat: kubelet 1.36 preemption; reason, event and condition. */
export const PREEMPTING = "Preempting";
export const PREEMPTED = "Preempted in order to admit critical pod";
const DISRUPTED = "Pod was preempted by Kubelet to accommodate a critical pod.";

/** What is to be freed: thousandths of cpu, else whole units. */
interface Need {
  readonly resource: string;
  readonly amount: bigint;
}

export type Choice =
  | { readonly kind: "victims"; readonly victims: readonly V1Pod[] }
  /** However many go, this much is missing. */
  | { readonly kind: "too-few"; readonly needs: readonly Need[] };

/** `others`: who holds resources now, those on their way out left out. */
export function chooseVictims(
  pod: V1Pod,
  lacking: readonly Shortage[],
  others: readonly V1Pod[],
): Choice {
  const needs = lacking.map((each): Need => ({
    resource: each.resource,
    amount: missing(each),
  }));
  const candidates = others.filter((other) => isPreemptable(pod, other))
    .sort(oldestFirst).map(candidateOf);
  const unmet = without(needs, candidates);
  if (unmet.length > 0) return { kind: "too-few", needs: unmet };
  const of = (qos: string) => candidates.filter((each) => each.qos === qos);
  const [bestEffort, burstable] = [of("BestEffort"), of("Burstable")];
  // Of each class only as many as are needed if all of the lesser ones went.
  const dear = closest(
    of("Guaranteed"),
    without(needs, [...bestEffort, ...burstable]),
  );
  const middle = closest(burstable, without(needs, [...bestEffort, ...dear]));
  const cheap = closest(bestEffort, without(needs, [...middle, ...dear]));
  const victims = [...cheap, ...middle, ...dear].map(({ pod }) => pod);
  return { kind: "victims", victims };
}

/** Compat: kubelet 1.36 Preemptable. */
function isPreemptable(pod: V1Pod, other: V1Pod): boolean {
  if (isCritical(pod) && !isCritical(other)) return true;
  const { priority } = pod.spec ?? {};
  const { priority: others } = other.spec ?? {};
  return priority !== undefined && others !== undefined && priority > others;
}

interface Candidate {
  readonly pod: V1Pod;
  readonly qos: string;
  readonly amountOf: (resource: string) => bigint;
}

function candidateOf(pod: V1Pod): Candidate {
  const requests = requestsOf(pod);
  return {
    pod,
    qos: qosClass(pod),
    amountOf: (resource) =>
      resource === PODS ? 1n : countOf(resource, requests.get(resource)),
  };
}

function oldestFirst(one: V1Pod, other: V1Pod): number {
  return createdAtMs(one) - createdAtMs(other) ||
    (uidOf(one) < uidOf(other) ? -1 : 1);
}

function createdAtMs({ metadata }: V1Pod): number {
  const ms = new Date(metadata?.creationTimestamp ?? 0).getTime();
  return Number.isNaN(ms) ? 0 : ms;
}

/** What is still missing once they are gone. */
function without(
  needs: readonly Need[],
  gone: readonly Candidate[],
): Need[] {
  return needs.flatMap(({ resource, amount }) => {
    const freed = gone.reduce((sum, each) => sum + each.amountOf(resource), 0n);
    return freed >= amount ? [] : [{ resource, amount: amount - freed }];
  });
}

/**
 * Again and again the one that leaves least of the needs, and of equals the
 * one that asks for less. Invariant: the candidates are enough for the needs.
 */
function closest(
  candidates: readonly Candidate[],
  needs: readonly Need[],
): Candidate[] {
  const chosen: Candidate[] = [];
  const left = [...candidates];
  let open = needs;
  while (open.length > 0) {
    const [first, ...rest] = left;
    if (first === undefined) return chosen;
    const best = rest.reduce(
      (best, each) => isBetter(each, best, open) ? each : best,
      first,
    );
    chosen.push(best);
    left.splice(left.indexOf(best), 1);
    open = without(open, [best]);
  }
  return chosen;
}

function isBetter(
  one: Candidate,
  than: Candidate,
  needs: readonly Need[],
): boolean {
  const distance = distanceOf(one, needs);
  const least = distanceOf(than, needs);
  return distance < least ||
    (distance === least && asksForLess(one, than));
}

/** Each need counts alike, by the share of it that would stay. */
function distanceOf(
  { amountOf }: Candidate,
  needs: readonly Need[],
): number {
  return needs.reduce((sum, { resource, amount }) => {
    const rest = amount - amountOf(resource);
    return rest <= 0n ? sum : sum + (Number(rest) / Number(amount)) ** 2;
  }, 0);
}

/** Or for as much. Compat: kubelet 1.36 smallerResourceRequest. */
function asksForLess(one: Candidate, than: Candidate): boolean {
  for (const resource of ["memory", "cpu"]) {
    const [own, other] = [one.amountOf(resource), than.amountOf(resource)];
    if (own !== other) return own < other;
  }
  return true;
}

/** What it means for the pod's stop. Read by `stop.ts`. */
export function preemptionOrder({ graceSeconds }: Preemption): StopOrder {
  return {
    kind: "preempted",
    graceSeconds,
    message: PREEMPTED,
    failed: { reason: PREEMPTING, message: PREEMPTED },
    disruption: { reason: PREEMPTING, message: DISRUPTED },
  };
}
