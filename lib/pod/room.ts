/**
 * Room for a pod that is to be let in, or to be given more: a critical one has
 * others end for it, and every pod waits for those that are ending for such a
 * one. Asked by `refuse.ts` as long as nothing of the pod exists, and by
 * `resize_admit.ts`.
 * Compat: kubelet 1.36 CriticalPodAdmissionHandler. It lets the pod in without
 * looking again; here it is let in once there is room, or nobody waits longer.
 */
import { patienceSeconds, titleOf, uidOf } from "../api/pod.ts";
import { isCritical } from "../api/priority.ts";
import type { V1Pod } from "../api/types.ts";
import type { AdmissionNode, Refusal } from "./admit.ts";
import { shortages } from "./fit.ts";
import type { Facts } from "./facts.ts";
import { type Plan, wait } from "./plan.ts";
import { chooseVictims, type Preemption } from "./preempt.ts";
import { containerGrace } from "./stop.ts";

export type Room =
  | { readonly kind: "enough" }
  | { readonly kind: "none"; readonly refusal: Refusal }
  | { readonly kind: "coming"; readonly plan: Plan };

export type RoomFacts = Pick<Facts, "others" | "preemptions">;

/** The others that stay, and those for whose end it is worth to wait. */
export function partOthers(facts: RoomFacts, nowMs: number) {
  const { others, preemptions } = facts;
  const leaving = others.flatMap((pod) => {
    const preemption = preemptions.get(uidOf(pod));
    return preemption === undefined ? [] : [{ pod, ...preemption }];
  });
  return {
    staying: others.filter((pod) => !preemptions.has(uidOf(pod))),
    leaving: leaving.filter(({ untilMs }) => untilMs > nowMs),
  };
}

/** Only of a critical pod that nothing but resources keeps out. */
export function roomFor(
  facts: RoomFacts,
  { pod, node }: { readonly pod: V1Pod; readonly node: AdmissionNode },
  nowMs: number,
): Room {
  if (!isCritical(pod)) return { kind: "enough" };
  const { staying, leaving } = partOthers(facts, nowMs);
  const lackingOf = (others: readonly V1Pod[]) =>
    shortages(pod, node.allocatable, others);
  const lacking = lackingOf(staying);
  const [first] = lacking;
  if (first === undefined) {
    const isThere = lackingOf([
      ...staying,
      ...leaving.map(({ pod }) => pod),
    ]).length === 0;
    return isThere
      ? { kind: "enough" }
      : { kind: "coming", plan: awaitEnd(leaving) };
  }
  const choice = chooseVictims(pod, lacking, staying);
  if (choice.kind === "too-few") {
    return { kind: "none", refusal: withoutVictims(choice.needs) };
  }
  const victims = choice.victims.map((victim) => {
    const graceSeconds = containerGrace(victim);
    const untilMs = nowMs + patienceSeconds(graceSeconds) * 1000;
    return { pod: victim, graceSeconds, untilMs };
  });
  const plan: Plan = {
    ...awaitEnd([...leaving, ...victims]),
    actions: [{
      kind: "preempt",
      resource: first.resource,
      victims: victims.map(({ pod, ...preemption }) => ({
        uid: uidOf(pod),
        title: titleOf(pod),
        preemption,
      })),
    }],
  };
  return { kind: "coming", plan };
}

/** Waits for the last of them, or until its time is over. */
export function awaitEnd(
  leaving: readonly (Preemption & { readonly pod: V1Pod })[],
): Plan {
  const names = leaving.map(({ pod }) => titleOf(pod));
  return wait("room", {
    what: "room",
    message: `Waits for the end of ${names.join(", ")}, which make room for ` +
      "a critical pod",
    untilMs: Math.min(...leaving.map(({ untilMs }) => untilMs)),
  });
}

/** Compat: kubelet 1.36 CriticalPodAdmissionHandler, getPodsToPreempt. */
function withoutVictims(
  needs: readonly { readonly resource: string; readonly amount: bigint }[],
): Refusal {
  const wanted = needs
    .map(({ resource, amount }) => `(res: ${resource}, q: ${amount}), `);
  return {
    reason: "UnexpectedAdmissionError",
    message: "Unexpected error while attempting to recover from admission " +
      "failure: preemption: error finding a set of pods to preempt: " +
      `no set of running pods found to reclaim resources: [${wanted.join("")}]`,
  };
}
