/**
 * A container's rule may ask that every container of its pod starts anew, the
 * init ones included: all are removed, their logs stay, and the pod goes on
 * from its first init container in the same sandbox.
 * Compat: kubelet 1.36 ShouldAllContainersRestart, getContainersToReset.
 */
import { plannedContainersOf } from "../api/pod.ts";
import type { PodStatusJson } from "../api/status.ts";
import type { V1Pod } from "../api/types.ts";
import type { Action } from "./action.ts";
import type { Facts, ObservedContainer, ObservedPod } from "./facts.ts";
import { instancesOf } from "./facts.ts";
import { ruleAction } from "./restart.ts";
import { mayStillRun, stopContainers } from "./stop.ts";

export const RESTARTING_ALL = "AllContainersRestarting";
/** The reason in the statuses of the containers that are removed. */
export const RESTARTING_REASON = "RestartingAllContainers";

/** True of a pod that has such a rule at all. */
export function couldRestartAll(pod: V1Pod): boolean {
  return plannedContainersOf(pod).some(({ restartPolicyRules = [] }) =>
    restartPolicyRules.some(({ action }) => action === "RestartAllContainers")
  );
}

/** `status`: the one before, which remembers it over a restart of the agent. */
export function isRestartingAll(
  pod: V1Pod,
  observed: ObservedPod,
  status: PodStatusJson | undefined,
): boolean {
  if (!couldRestartAll(pod)) return false;
  const told = status?.conditions.find(({ type }) => type === RESTARTING_ALL);
  if (told?.status === "True") return true;
  return plannedContainersOf(pod).some(({ name }) => {
    const [newest] = instancesOf(observed, name);
    return newest !== undefined && isSource(pod, newest);
  });
}

/** True once nothing of the planned containers is left. */
export function isReset(pod: V1Pod, observed: ObservedPod): boolean {
  return plannedContainersOf(pod)
    .every(({ name }) => instancesOf(observed, name).length === 0);
}

/**
 * Removes them all; what asked for it goes last, so that an agent that dies
 * in between knows what it was about.
 */
export function resetActions({ observed }: Facts, pod: V1Pod): Action[] {
  const planned = new Set(plannedContainersOf(pod).map(({ name }) => name));
  const found = observed.containers.filter(({ name }) => planned.has(name));
  const sources = found.filter((each) => isSource(pod, each));
  const others = found.filter((each) => !sources.includes(each));
  return [
    ...stopContainers(found.filter(mayStillRun), 0),
    ...[...others, ...sources].map(({ id, name }) =>
      ({ kind: "remove-container", id, name }) as const
    ),
  ];
}

/** One that ended in a way that asks for it. */
function isSource(pod: V1Pod, instance: ObservedContainer): boolean {
  const container = plannedContainersOf(pod)
    .find(({ name }) => name === instance.name);
  return container !== undefined && instance.state === "exited" &&
    ruleAction(container, instance.exitCode) === "RestartAllContainers";
}
