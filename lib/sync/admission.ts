/** What the admission of a pod looks at: the node, and who came before. */
import type { PodUid } from "../api/id.ts";
import { isCritical } from "../api/priority.ts";
import type { V1Pod } from "../api/types.ts";
import type { KnownNode, Observation } from "../node/types.ts";
import type { AdmissionNode } from "../pod/admit.ts";
import { isGone, type ObservedPod } from "../pod/facts.ts";
import { isTerminal } from "../pod/phase.ts";
import type { PodState } from "../pod/state.ts";
import type { PodsReader } from "./store.ts";

/** The node as the API server holds it, in the terms of the core. */
export function admissionNode(
  name: string,
  { labels, allocatable, taints }: KnownNode,
  { runtimeStatus }: Pick<Observation, "runtimeStatus">,
): AdmissionNode {
  return {
    name,
    labels,
    allocatable,
    os: "linux",
    taints,
    hasGroupsPolicy: runtimeStatus?.hasSupplementalGroupsPolicy === true,
  };
}

/** True once something of the pod is here, or is about to be. */
export function isAdmitted(state: PodState, observed: ObservedPod): boolean {
  if (!isGone(observed) || state.kind !== "waiting") return true;
  switch (state.for) {
    case "sources":
    case "name":
    case "node":
    case "room":
    case "support":
      return false;
    case "runtime":
    case "network":
    case "sandbox":
      return true;
  }
}

/** Every other pod that takes of the node's resources. */
export function othersOf(
  uid: PodUid,
  pods: PodsReader,
  wanted: (uid: PodUid) => V1Pod | undefined,
): readonly V1Pod[] {
  return [...pods].flatMap(([other, { pod, state, observed, status }]) => {
    const found = pod ?? wanted(other);
    const isOver = state.kind === "done" || isTerminal(status?.phase);
    const counts = other !== uid && found !== undefined && !isOver &&
      (isAdmitted(state, observed) || isAwaited(state, found));
    return counts ? [found] : [];
  });
}

/** Room is being made for it, which nobody else takes. */
function isAwaited(state: PodState, pod: V1Pod): boolean {
  return state.kind === "waiting" && state.for === "room" && isCritical(pod);
}
