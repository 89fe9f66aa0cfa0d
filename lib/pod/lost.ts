/**
 * Containers that ran, of which the runtime has nothing left: somebody removed
 * them, or the machine lost its runtime's state. One that may run only once
 * has ended with that. Compat: kubelet 1.36 convertToAPIContainerStatuses.
 */
import {
  containersOf,
  ephemeralContainersOf,
  initContainersOf,
  isSidecar,
} from "../api/pod.ts";
import type { ContainerStatusJson, PodStatusJson } from "../api/status.ts";
import type { V1Container, V1Pod } from "../api/types.ts";
import type { ObservedPod } from "./facts.ts";
import { mayRestart } from "./restart.ts";
import { RESTARTING_REASON } from "./restart_all.ts";

/** Compat: kubelet 1.36: what a container is said to have ended with. */
const LOST_EXIT_CODE = 137;

/**
 * Names of those that shall not run again; `status` is the one before. An init
 * container is named only when the pod cannot be initialised without it.
 */
export function lostForGood(
  pod: V1Pod,
  observed: ObservedPod,
  status: PodStatusJson | undefined,
): ReadonlySet<string> {
  const here = new Set(observed.containers.map(({ name }) => name));
  const isLost = (
    { name }: V1Container,
    list: readonly ContainerStatusJson[] | undefined,
    mayAgain: (exitCode: number) => boolean,
  ) => {
    const exitCode = exitCodeOf(list?.find((each) => each.name === name));
    return !here.has(name) && exitCode !== undefined && !mayAgain(exitCode);
  };
  const hasBegun = containersOf(pod).some(({ name }) => here.has(name));
  const init = hasBegun
    ? []
    : initContainersOf(pod).filter((container) =>
      isLost(
        container,
        status?.initContainerStatuses,
        (exitCode) =>
          isSidecar(container) || exitCode === 0 ||
          mayRestart(pod, container, exitCode),
      )
    );
  const regular = containersOf(pod).filter((container) =>
    isLost(
      container,
      status?.containerStatuses,
      (exitCode) => mayRestart(pod, container, exitCode),
    )
  );
  const ephemeral = ephemeralContainersOf(pod).filter((container) =>
    isLost(container, status?.ephemeralContainerStatuses, () => false)
  );
  return new Set([...init, ...regular, ...ephemeral].map(({ name }) => name));
}

/** Undefined when nobody has ever said that it ran, or it was taken away. */
function exitCodeOf(
  status: ContainerStatusJson | undefined,
): number | undefined {
  const { running, terminated } = status?.state ?? {};
  if (running) return LOST_EXIT_CODE;
  // Once its loss is told it is said to wait, with an end behind it.
  const ended = terminated ?? status?.lastState?.terminated;
  return ended?.reason === RESTARTING_REASON ? undefined : ended?.exitCode;
}
