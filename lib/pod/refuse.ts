/**
 * May the pod run here? Asked once, before anything of it exists: a pod that
 * was let in stays in, whatever the node becomes. Who is refused has failed
 * for good; who asks for what this agent cannot do yet waits.
 */
import { isStatic, plannedContainersOf } from "../api/pod.ts";
import type { V1Pod } from "../api/types.ts";
import { admit, type Refusal, statusMessage } from "./admit.ts";
import type { Facts } from "./facts.ts";
import type { PodGates } from "./gates.ts";
import { type Plan, wait } from "./plan.ts";
import type { PodState } from "./state.ts";
import { refuseUnderPressure } from "./pressure.ts";
import { refuseAppArmor } from "./security_profile.ts";
import { unsupported } from "./support.ts";
import { refuseSysctls } from "./sysctl.ts";

/** How old the node may be by which a pod is turned away. */
const NODE_AGE_MS = 1_000;

/** What happens instead of a start; undefined: the pod may run. */
export function planRefusal(
  facts: Facts,
  pod: V1Pod,
  nowMs: number,
): Plan | undefined {
  const { node } = facts;
  // Static pods run without an API server that could tell of the node.
  if (node === undefined && !isStatic(pod)) {
    const message = "The API server has not told of this node yet";
    return wait("node", { what: "node", message });
  }
  const refusal = refusalOf(facts, pod);
  if (refusal === undefined) return planUnsupported(facts, pod);
  if (refusal.reason === "NodeAffinity" && !hasWaited(facts)) {
    // A new label may be known to the scheduler before it is known here.
    const message = "The node's labels as known here do not match the pod's";
    const untilMs = nowMs + NODE_AGE_MS;
    return wait("node", { what: "node", message, untilMs });
  }
  return refuse(refusal);
}

/**
 * The first reason against the pod as it is; also of one that runs and asks
 * for more. Compat: kubelet 1.36: pressure, sysctls, predicates, AppArmor,
 * features, in this order.
 */
export function refusalOf(
  facts: Pick<Facts, "node" | "others" | "pressures" | "settings">,
  pod: V1Pod,
): Refusal | undefined {
  const { node, others, settings } = facts;
  const { kernelVersion } = settings.machine;
  const unsafe = settings.allowedUnsafeSysctls;
  return refuseUnderPressure(pod, facts.pressures) ??
    refuseSysctls(pod, { unsafe, kernelVersion }) ??
    (node === undefined ? undefined : admit(pod, node, others)) ??
    refuseAppArmor(pod, settings.machine) ??
    refusePodResources(pod, settings.gates);
}

/** Compat: kubelet 1.36 isPodLevelResourcesSupported. */
function refusePodResources(
  pod: V1Pod,
  { hasPodResources }: PodGates,
): Refusal | undefined {
  const { requests = {}, limits = {} } = pod.spec?.resources ?? {};
  const isSet = Object.keys({ ...requests, ...limits }).length > 0;
  return hasPodResources || !isSet ? undefined : {
    reason: "PodLevelResourcesNotSupported",
    message: "PodLevelResources feature gate is disabled",
  };
}

function hasWaited({ state }: Facts): boolean {
  return state.kind === "waiting" && state.for === "node";
}

function refuse(refusal: Refusal): Plan {
  const { reason, message } = refusal;
  const plan = refusedPlan({
    kind: "done",
    refusal: { reason, message: statusMessage(refusal) },
  });
  return {
    ...plan,
    actions: [{ kind: "note", type: "Warning", reason, message }],
  };
}

/** Of a pod that was refused: it stays so. */
export function refusedPlan(
  state: Extract<PodState, { kind: "done" }>,
): Plan {
  const { reason = "", message = "" } = state.refusal ?? {};
  return {
    next: state,
    actions: [],
    blockers: [{ what: reason, message }],
    waiting: new Map(),
  };
}

function planUnsupported(facts: Facts, pod: V1Pod): Plan | undefined {
  const { refused } = unsupported(pod);
  if (refused.length === 0) return undefined;
  const { state } = facts;
  const message = `This agent does not support ${refused.join(", ")} yet`;
  const isTold = state.kind === "waiting" && state.for === "support";
  const reason = "UnsupportedFeature";
  return {
    ...wait("support", { what: "unsupported", message }),
    actions: isTold ? [] : [{ kind: "note", type: "Warning", reason, message }],
    waiting: new Map(
      plannedContainersOf(pod)
        .map(({ name }) => [name, { what: reason, message }]),
    ),
  };
}
