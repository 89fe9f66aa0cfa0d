/**
 * How far a pod is with its init containers, in the word that kubectl has for
 * it. Pure. Compat: kubectl 1.36 printPod.
 */
import { initContainersOf, isSidecar } from "../api/pod.ts";
import type { ContainerStatusJson } from "../api/status.ts";
import type { V1Container } from "../api/types.ts";
import type { PodView } from "./view.ts";

/** `Init:1/3`, `Init:CrashLoopBackOff`; undefined once the pod is past it. */
export function initWord({ pod, status }: PodView): string | undefined {
  const isDone = status.conditions.some(({ type, status }) =>
    type === "Initialized" && status === "True"
  );
  if (isDone) return undefined;
  const all = initContainersOf(pod);
  const index = nextInit({ pod, status });
  const next = all[index];
  if (next === undefined) return undefined;
  const { waiting, terminated } = status.initContainerStatuses
    ?.find(({ name }) => name === next.name)?.state ?? {};
  if (terminated !== undefined) {
    return `Init:${terminated.reason || `ExitCode:${terminated.exitCode}`}`;
  }
  return waiting === undefined || waiting.reason === "PodInitializing"
    ? `Init:${index}/${all.length}`
    : `Init:${waiting.reason}`;
}

/** The first init container that has not done its part; else their count. */
export function nextInit({ pod, status }: Pick<PodView, "pod" | "status">) {
  const byName = new Map(
    status.initContainerStatuses?.map((each) => [each.name, each]),
  );
  const all = initContainersOf(pod);
  const found = all.findIndex((each) => !isPast(each, byName.get(each.name)));
  return found < 0 ? all.length : found;
}

function isPast(
  container: V1Container,
  status: ContainerStatusJson | undefined,
): boolean {
  return isSidecar(container)
    ? status?.started === true
    : status?.state.terminated?.exitCode === 0;
}
