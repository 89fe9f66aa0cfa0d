/** What the admission of a pod looks at: the node, and who came before. */
import type { PodUid } from "../api/id.ts";
import { isCritical } from "../api/priority.ts";
import type { ContainerStatusJson } from "../api/status.ts";
import type { V1Pod } from "../api/types.ts";
import type { KnownNode, Observation } from "../node/types.ts";
import type { AdmissionNode } from "../pod/admit.ts";
import { isGone, type ObservedPod } from "../pod/facts.ts";
import { isTerminal } from "../pod/phase.ts";
import type { PodState } from "../pod/state.ts";
import { EMPTY_MEMORY, type PodMemory, type PodsReader } from "./store.ts";

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

/** What tells of pods besides their memory, which may be late. */
export interface Given {
  /** Of every pod that is wanted. */
  readonly uids: Iterable<PodUid>;
  /** With what it has been given by now. */
  readonly podOf: (uid: PodUid) => V1Pod | undefined;
  /** It was let in, be it by a former agent, and has not gone since. */
  readonly isGiven: (uid: PodUid) => boolean;
}

/** Every other pod that takes of the node's resources. */
export function othersOf(
  uid: PodUid,
  pods: PodsReader,
  { uids, podOf, isGiven }: Given,
): readonly V1Pod[] {
  // After a reboot nothing reminds of a pod but that it is wanted.
  return [...new Set([...pods.keys(), ...uids])].flatMap((other) => {
    if (other === uid) return [];
    return holderOf(other, pods, { podOf, isGiven }) ?? [];
  });
}

/** The pod as it takes of the node's resources; undefined: it takes none. */
export function holderOf(
  uid: PodUid,
  pods: PodsReader,
  { podOf, isGiven }: Pick<Given, "podOf" | "isGiven">,
): V1Pod | undefined {
  const memory = pods.get(uid) ?? EMPTY_MEMORY;
  const pod = podOf(uid) ?? memory.pod;
  return heldPod({ ...memory, pod, isGiven: isGiven(uid) });
}

/**
 * A pod that takes of the node's resources, with the status that was projected
 * last: what it has while it is resized is told there. Undefined: it takes
 * none.
 */
export function heldPod(
  { pod, state, observed, status, isGiven }:
    & Pick<PodMemory, "pod" | "state" | "observed" | "status">
    & { readonly isGiven: boolean },
): V1Pod | undefined {
  const phase = status?.phase ?? pod?.status?.phase;
  const isOver = state.kind === "done" || isTerminal(phase);
  if (pod === undefined || isOver) return undefined;
  const isIn = isGiven || isAdmitted(state, observed) || isAwaited(state, pod);
  if (!isIn) return undefined;
  if (status === undefined) return pod;
  const { containerStatuses, initContainerStatuses, conditions } = status;
  const { allocatedResources, resources } = status;
  return {
    ...pod,
    status: {
      ...pod.status,
      containerStatuses: containerStatuses.map(amountsOf),
      initContainerStatuses: (initContainerStatuses ?? []).map(amountsOf),
      conditions: conditions.map(({ type, status, reason = "" }) => ({
        ...{ type, status, reason },
      })),
      ...allocatedResources === undefined ? {} : { allocatedResources },
      ...resources === undefined ? {} : { resources },
    },
  };
}

/** Room is being made for it, which nobody else takes. */
function isAwaited(state: PodState, pod: V1Pod): boolean {
  return state.kind === "waiting" && state.for === "room" && isCritical(pod);
}

function amountsOf(status: ContainerStatusJson) {
  const { name, image, imageID, ready, restartCount } = status;
  const { allocatedResources, resources } = status;
  return {
    ...{ name, image, imageID, ready, restartCount },
    ...allocatedResources === undefined ? {} : { allocatedResources },
    ...resources === undefined ? {} : { resources },
  };
}
