/**
 * Containers that ran, of which the runtime has nothing left: somebody removed
 * them, or the machine lost its runtime's state. One that may run only once
 * has ended with that. Compat: kubelet 1.36 convertToAPIContainerStatuses.
 */
import { containersOf, restartPolicyOf } from "../api/pod.ts";
import type { ContainerStatusJson, PodStatusJson } from "../api/status.ts";
import type { V1Pod } from "../api/types.ts";
import type { ObservedPod } from "./facts.ts";
import { mayRestart } from "./restart.ts";

/** Compat: kubelet 1.36: what a container is said to have ended with. */
const LOST_EXIT_CODE = 137;

/** Names of those that shall not run again; `status` is the one before. */
export function lostForGood(
  pod: V1Pod,
  observed: ObservedPod,
  status: PodStatusJson | undefined,
): ReadonlySet<string> {
  const here = new Set(observed.containers.map(({ name }) => name));
  const told = new Map(
    (status?.containerStatuses ?? []).map((each) => [each.name, each]),
  );
  return new Set(
    containersOf(pod).filter((container) => {
      const exitCode = exitCodeOf(told.get(container.name));
      if (here.has(container.name) || exitCode === undefined) return false;
      return !mayRestart(restartPolicyOf(pod, container), exitCode);
    }).map(({ name }) => name),
  );
}

/** Undefined when nobody has ever said that it ran. */
function exitCodeOf(
  status: ContainerStatusJson | undefined,
): number | undefined {
  const { running, terminated } = status?.state ?? {};
  if (running) return LOST_EXIT_CODE;
  // Once its loss is told it is said to wait, with an end behind it.
  return (terminated ?? status?.lastState?.terminated)?.exitCode;
}
