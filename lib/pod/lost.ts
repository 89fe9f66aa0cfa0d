/**
 * Containers that ran, of which the runtime has nothing left: somebody removed
 * them, or the machine lost its runtime's state. One that may run only once
 * has ended with that. Compat: kubelet 1.36 convertToAPIContainerStatuses.
 */
import { containersOf, restartPolicyOf } from "../api/pod.ts";
import type { PodStatusJson } from "../api/status.ts";
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
    (status?.containerStatuses ?? []).map(({ name, state }) => [name, state]),
  );
  return new Set(
    containersOf(pod).filter((container) => {
      const { running, terminated } = told.get(container.name) ?? {};
      if (here.has(container.name) || (!running && !terminated)) return false;
      const exitCode = terminated?.exitCode ?? LOST_EXIT_CODE;
      return !mayRestart(restartPolicyOf(pod, container), exitCode);
    }).map(({ name }) => name),
  );
}
