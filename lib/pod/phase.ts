/**
 * A pod's phase from the statuses of its containers.
 * Compat: kubelet 1.36 getPhase (regular containers).
 */
import { containersOf, restartPolicyOf } from "../api/pod.ts";
import type { ContainerStatusJson, PodPhase } from "../api/status.ts";
import type { V1Pod } from "../api/types.ts";
import { mayRestart } from "./restart.ts";

export function phase(
  pod: V1Pod,
  statuses: readonly ContainerStatusJson[],
): PodPhase {
  const byName = new Map(statuses.map((status) => [status.name, status]));
  const tally = { running: 0, waiting: 0, restartable: 0, failed: 0 };
  for (const container of containersOf(pod)) {
    const status = byName.get(container.name);
    const ended = status?.state.terminated ??
      (status?.state.waiting && status.lastState.terminated);
    if (status?.state.running !== undefined) tally.running++;
    else if (ended === undefined) tally.waiting++;
    else if (mayRestart(restartPolicyOf(pod, container), ended.exitCode)) {
      tally.restartable++;
    } else if (ended.exitCode !== 0) tally.failed++;
  }
  if (tally.waiting > 0) return "Pending";
  if (tally.running > 0 || tally.restartable > 0) return "Running";
  return tally.failed > 0 ? "Failed" : "Succeeded";
}
