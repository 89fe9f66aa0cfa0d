/**
 * The containers that run before the regular ones, in the order of the spec,
 * and the sidecars among them, which stay. What of it is done is read from the
 * newest instances in the current sandbox: the last one that was reached says
 * that those before it are done, also when the runtime has forgotten them.
 * Compat: kubelet 1.36 computeInitContainerActions.
 */
import { containersOf, initContainersOf, isSidecar } from "../api/pod.ts";
import type { V1Container, V1Pod } from "../api/types.ts";
import type { NamedPlan, PodPlace } from "./container_plan.ts";
import { planContainer } from "./containers.ts";
import { type Facts, instancesOf, type ObservedContainer } from "./facts.ts";
import { initExitCode, mayRestart } from "./restart.ts";
import { standingOf } from "./standing.ts";

export interface InitPlan {
  /** The regular containers may run. */
  readonly isDone: boolean;
  readonly plans: readonly NamedPlan[];
}

export function planInit(
  facts: Facts,
  place: PodPlace,
  nowMs: number,
): InitPlan {
  const all = initContainersOf(place.pod);
  const reached = reachedInit(facts, place);
  const due = all.slice(0, reached + 1)
    .filter((container, index) => index === reached || isSidecar(container));
  return {
    isDone: reached === all.length,
    plans: due.map((container) => {
      const role = isSidecar(container) ? "sidecar" : "init";
      const at = { ...place, container, role } as const;
      return {
        name: container.name,
        plan: planContainer(facts, at, nowMs),
      };
    }),
  };
}

/** Which one's turn it is; the count of all when none is left. */
function reachedInit(facts: Facts, place: PodPlace): number {
  const all = initContainersOf(place.pod);
  const here = (container: V1Container) =>
    instanceHere(facts, place, container);
  // A regular one has been made: the others may be removed by now.
  if (containersOf(place.pod).some((each) => here(each) !== undefined)) {
    return all.length;
  }
  const last = all.findLastIndex((each) => here(each) !== undefined);
  const container = all[last];
  if (container === undefined) return 0;
  return isPassed(facts, container, here(container)) ? last + 1 : last;
}

/** The next one may start. */
function isPassed(
  { verdicts }: Facts,
  container: V1Container,
  instance: ObservedContainer | undefined,
): boolean {
  if (isSidecar(container)) {
    return standingOf(verdicts, { container, instance }).isStarted;
  }
  return instance?.state === "exited" && initExitCode(instance) === 0;
}

function instanceHere(
  { observed }: Facts,
  { sandbox }: PodPlace,
  { name }: V1Container,
): ObservedContainer | undefined {
  return instancesOf(observed, name)
    .find(({ sandboxId }) => sandboxId === sandbox.id);
}

/**
 * True when the pod will never be initialised: one of its init containers has
 * failed, or was lost, and may not run again.
 */
export function hasFailedInit(facts: Facts, pod: V1Pod): boolean {
  const { observed, lost } = facts;
  return initContainersOf(pod).some((container) => {
    if (isSidecar(container)) return false;
    const [newest] = instancesOf(observed, container.name);
    if (newest === undefined) return lost.has(container.name);
    const exitCode = initExitCode(newest);
    return newest.state === "exited" && exitCode !== 0 &&
      !mayRestart(pod, container, exitCode);
  });
}
