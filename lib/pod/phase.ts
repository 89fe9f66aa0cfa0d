/**
 * A pod's phase from the statuses of its containers.
 * Compat: kubelet 1.36 getPhase (regular containers).
 */
import { containersOf, isStatic, restartPolicyOf } from "../api/pod.ts";
import type { ContainerStatusJson, PodPhase } from "../api/status.ts";
import type { V1Pod } from "../api/types.ts";
import { mayRestart } from "./restart.ts";

export function phase(
  pod: V1Pod,
  statuses: readonly ContainerStatusJson[],
  options: {
    /** Nothing of the pod runs, and nothing will again. */
    readonly isEnded: boolean;
  },
): PodPhase {
  const byName = new Map(statuses.map((status) => [status.name, status]));
  const tally = { running: 0, waiting: 0, unknown: 0, stopped: 0 };
  let [restartable, succeeded] = [0, 0];
  for (const container of containersOf(pod)) {
    const status = byName.get(container.name);
    const kind = kindOf(status);
    tally[kind]++;
    if (kind !== "stopped") continue;
    const ended = status?.state.terminated ?? status?.lastState.terminated;
    const exitCode = ended?.exitCode ?? 0;
    if (mayRestart(restartPolicyOf(pod, container), exitCode)) restartable++;
    if (status?.state.terminated?.exitCode === 0) succeeded++;
  }
  if (tally.waiting > 0 || tally.unknown > 0) return "Pending";
  if (tally.running > 0) return "Running";
  if (tally.stopped === 0) return "Pending";
  // Compat: kubelet 1.36 gives no terminal phase to a static pod it stops.
  const isFinal = restartable === 0 || (options.isEnded && !isStatic(pod));
  if (!isFinal) return "Running";
  return tally.stopped === succeeded ? "Succeeded" : "Failed";
}

export function isTerminal(podPhase: string | undefined): boolean {
  return podPhase === "Succeeded" || podPhase === "Failed";
}

function kindOf(
  status: ContainerStatusJson | undefined,
): "running" | "waiting" | "unknown" | "stopped" {
  if (status === undefined) return "unknown";
  const { state, lastState } = status;
  if (state.running !== undefined) return "running";
  if (state.terminated !== undefined) return "stopped";
  if (state.waiting === undefined) return "unknown";
  return lastState.terminated === undefined ? "waiting" : "stopped";
}
