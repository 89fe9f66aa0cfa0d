/**
 * PodStatus as a projection of the facts and of the plan made from them. The
 * previous status is consulted only for what the runtime cannot tell: when the
 * pod was first seen and when a condition last changed.
 */
import { containersOf } from "../api/pod.ts";
import { qosClass } from "../api/qos.ts";
import type { PodStatusJson } from "../api/status.ts";
import type { V1Pod } from "../api/types.ts";
import { conditions } from "./conditions.ts";
import { containerStatus, secondsText } from "./container_status.ts";
import type { Plan } from "./plan.ts";
import { currentSandbox, type Facts } from "./facts.ts";
import { phase } from "./phase.ts";
import { sandboxIsUsable } from "./sandbox.ts";

/** Of a pod at which nobody has looked yet: the runtime is away. */
export function unseenStatus(pod: V1Pod): PodStatusJson {
  return {
    phase: "Pending",
    conditions: [],
    qosClass: qosClass(pod),
    containerStatuses: [],
  };
}

export function podStatus(
  at: { readonly facts: Facts; readonly plan: Plan; readonly pod: V1Pod },
  previous: PodStatusJson | undefined,
  nowMs: number,
): PodStatusJson {
  const { facts, plan, pod } = at;
  const containerStatuses = containersOf(pod).map((container) =>
    containerStatus(facts, { pod, container }, plan.waiting.get(container.name))
  ).sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  const podPhase = phase(pod, containerStatuses);
  const known = currentSandbox(facts.observed)?.ips ?? [];
  // Compat: kubelet 1.36 keeps the addresses of a pod that has ended.
  const ips = known.length > 0
    ? known
    : previous?.podIPs?.map(({ ip }) => ip) ?? [];
  const [first] = ips;
  return {
    phase: podPhase,
    conditions: conditions(
      {
        pod,
        phase: podPhase,
        statuses: containerStatuses,
        hasSandbox: sandboxIsUsable(facts, pod),
      },
      previous?.conditions ?? [],
      nowMs,
    ),
    ...first === undefined
      ? {}
      : { podIP: first, podIPs: ips.map((ip) => ({ ip })) },
    startTime: previous?.startTime ?? firstSeen(facts, nowMs),
    qosClass: qosClass(pod),
    containerStatuses,
  };
}

/** A pod adopted after a restart started when its first sandbox did. */
function firstSeen(facts: Facts, nowMs: number): string {
  const created = facts.observed.sandboxes.map(({ createdAtMs }) =>
    createdAtMs
  );
  return secondsText(Math.min(nowMs, ...created));
}
