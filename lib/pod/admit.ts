/**
 * May this pod run on this node? The first check that fails explains itself,
 * in upstream's order and words. Asked once for a pod, before anything is done
 * for it. Before it come `pressure.ts` and `sysctl.ts`.
 * Compat: kubelet 1.36 predicateAdmitHandler, AdmissionCheck, generalFilter.
 */
import { isStatic, uidOf } from "../api/pod.ts";
import { isCritical } from "../api/priority.ts";
import type { V1Pod } from "../api/types.ts";
import { wantsNode } from "./affinity.ts";
import { type Shortage, shortages } from "./fit.ts";
import { isPortTaken } from "./host_ports.ts";
import { type Taint, toleratesAll } from "./taints.ts";

/** The node as admission sees it. */
export interface AdmissionNode {
  readonly labels: ReadonlyMap<string, string>;
  readonly taints: readonly Taint[];
  readonly allocatable: ReadonlyMap<string, string>;
  /** The agent's own: `linux`. */
  readonly os: string;
  /** Compat: not judged; a pod selects it by the label. */
  readonly arch?: string;
  readonly name: string;
  /** `status.features.supplementalGroupsPolicy`; absent: it does not. */
  readonly hasGroupsPolicy?: boolean;
}

export interface Refusal {
  /** `status.reason`, and the reason of the Warning event. */
  readonly reason: string;
  /** The message of the event; `statusMessage()` for the status. */
  readonly message: string;
}

const OS_LABEL = "kubernetes.io/os";

/**
 * `status.message` of a refused pod; its phase is Failed. The event carries the
 * bare message. Compat: kubelet 1.36 rejectPod.
 */
export function statusMessage(refusal: Refusal): string {
  return `Pod was rejected: ${refusal.message}`;
}

/**
 * The first reason against the pod; undefined: it may run. `others` are the
 * admitted pods that have not ended, with the resources they were admitted
 * with; the pod itself may be among them. With the reason `NodeAffinity`, a
 * caller whose node may be old gets it afresh and asks once more.
 *
 * Critical pods are not refused for resources: see `room.ts`.
 */
export function admit(
  pod: V1Pod,
  node: AdmissionNode,
  others: readonly V1Pod[],
): Refusal | undefined {
  const uid = uidOf(pod);
  const rest = others.filter((other) => uidOf(other) !== uid);
  return refuseSystem(pod, node) ?? refuseGroups(pod, node) ??
    refuseGeneral(pod, node, rest);
}

/** Compat: the first is a label of the pod, not a selector, upstream too. */
function refuseSystem(pod: V1Pod, node: AdmissionNode): Refusal | undefined {
  const label = pod.metadata?.labels?.[OS_LABEL];
  if (label !== undefined && label !== node.os) {
    return {
      reason: "PodOSSelectorNodeLabelDoesNotMatch",
      message: "Failed to admit pod as the `kubernetes.io/os` label doesn't " +
        "match node label",
    };
  }
  const system = pod.spec?.os;
  if (system === undefined || system.name === node.os) return undefined;
  return {
    reason: "PodOSNotSupported",
    message: "Failed to admit pod as the OS field doesn't match node OS",
  };
}

function refuseGroups(pod: V1Pod, node: AdmissionNode): Refusal | undefined {
  const policy = pod.spec?.securityContext?.supplementalGroupsPolicy;
  if (policy !== "Strict" || node.hasGroupsPolicy === true) return undefined;
  return {
    reason: "SupplementalGroupsPolicyNotSupported",
    message: "SupplementalGroupsPolicy=Strict is not supported in this node",
  };
}

function refuseGeneral(
  pod: V1Pod,
  node: AdmissionNode,
  others: readonly V1Pod[],
): Refusal | undefined {
  const mismatch = mismatchOf(pod, node, others);
  if (isCritical(pod)) return mismatch;
  const [lacking] = shortages(pod, node.allocatable, others);
  return lacking === undefined ? mismatch : shortOf(lacking);
}

/** The first reason other than resources. */
function mismatchOf(
  pod: V1Pod,
  node: AdmissionNode,
  others: readonly V1Pod[],
): Refusal | undefined {
  const { nodeName, tolerations = [] } = pod.spec ?? {};
  if (!wantsNode(pod, { name: node.name, labels: labelsOf(node) })) {
    const why = "node(s) didn't match Pod's node affinity/selector";
    return predicate("NodeAffinity", why);
  }
  if (nodeName && nodeName !== node.name) {
    const why = "node(s) didn't match the requested node name";
    return predicate("NodeName", why);
  }
  if (isPortTaken(pod, others)) {
    const why = "node(s) didn't have free ports for the requested pod ports";
    return predicate("NodePorts", why);
  }
  const isTolerant = isStatic(pod) ||
    toleratesAll(tolerations, node.taints, "NoExecute");
  if (isTolerant) return undefined;
  const why = "node(s) had taints that the pod didn't tolerate";
  return predicate("TaintToleration", why);
}

/**
 * Compat: kubelet 1.36 rejectPodAdmissionBasedOnOSSelector corrects the label
 * on the node it looks at, unless the node has no labels at all.
 */
function labelsOf(node: AdmissionNode): ReadonlyMap<string, string> {
  if (node.labels.size === 0) return node.labels;
  return new Map(node.labels).set(OS_LABEL, node.os);
}

function predicate(name: string, why: string): Refusal {
  return { reason: name, message: `Predicate ${name} failed: ${why}` };
}

/** Refused for lack of it. Compat: kubelet 1.36 InsufficientResourceError. */
export function shortOf(lacking: Shortage): Refusal {
  const { resource, requested, used, capacity } = lacking;
  return {
    reason: `OutOf${resource}`,
    message: `Node didn't have enough resource: ${resource}, ` +
      `requested: ${requested}, used: ${used}, capacity: ${capacity}`,
  };
}
