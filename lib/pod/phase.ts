/**
 * A pod's phase from the statuses of its regular and its init containers.
 * Ephemeral ones do not count. Compat: kubelet 1.36 getPhase.
 */
import {
  containersOf,
  initContainersOf,
  isSidecar,
  isStatic,
  sidecarsOf,
} from "../api/pod.ts";
import type {
  ContainerStatusJson,
  PodPhase,
  TerminatedState,
} from "../api/status.ts";
import type { V1Container, V1Pod } from "../api/types.ts";
import { mayRestart } from "./restart.ts";
import { RESTARTING_REASON } from "./restart_all.ts";

export interface PhaseOptions {
  /** Nothing of the pod runs, and nothing will again. */
  readonly isEnded: boolean;
  /** A regular container has been made in the sandbox that counts. */
  readonly hasInitialized: boolean;
  /** All containers are to start anew, however they have ended. */
  readonly isRestartingAll: boolean;
}

type ByName = ReadonlyMap<string, ContainerStatusJson>;

export function phase(
  pod: V1Pod,
  statuses: readonly ContainerStatusJson[],
  options: PhaseOptions,
): PodPhase {
  const byName: ByName = new Map(statuses.map((each) => [each.name, each]));
  const init = initTally(pod, byName);
  const isAnew = options.isRestartingAll && !options.isEnded;
  if (init.failed > 0 && !isAnew) return "Failed";
  const sidecars = sidecarTally(pod, byName);
  const regular = regularTally(pod, byName);
  const isPending = init.pending > 0 || sidecars.waiting > 0 ||
    regular.waiting > 0 || (sidecars.pending > 0 && !options.hasInitialized);
  if (isPending || sidecars.unknown + regular.unknown > 0) return "Pending";
  if (sidecars.running + regular.running > 0) return "Running";
  if (regular.stopped === 0) return "Pending";
  // Compat: kubelet 1.36 gives no terminal phase to a static pod it stops.
  const isFinal = regular.restartable === 0 ||
    (options.isEnded && !isStatic(pod));
  if (isAnew || !isFinal) return "Running";
  return regular.stopped === regular.succeeded ? "Succeeded" : "Failed";
}

export function isTerminal(podPhase: string | undefined): boolean {
  return podPhase === "Succeeded" || podPhase === "Failed";
}

/** Of the init containers that end. */
function initTally(pod: V1Pod, byName: ByName) {
  const tally = { pending: 0, failed: 0 };
  for (const container of initContainersOf(pod)) {
    if (isSidecar(container)) continue;
    const status = byName.get(container.name);
    const ended = kindOf(status) === "stopped" ? endOf(status) : undefined;
    if (ended === undefined) tally.pending++;
    else if (isFailed(pod, container, ended)) tally.failed++;
  }
  return tally;
}

function isFailed(
  pod: V1Pod,
  container: V1Container,
  ended: TerminatedState,
): boolean {
  return ended.exitCode !== 0 && !isRestartable(pod, container, ended);
}

/** One that has ended is not asked how: it starts again. */
function sidecarTally(pod: V1Pod, byName: ByName) {
  const tally = { pending: 0, running: 0, waiting: 0, unknown: 0, stopped: 0 };
  for (const container of sidecarsOf(pod)) {
    const status = byName.get(container.name);
    const kind = kindOf(status);
    tally[kind]++;
    const isUnstarted = kind === "running" && status?.started !== true;
    if (isUnstarted || kind === "waiting") tally.pending++;
  }
  return tally;
}

function regularTally(pod: V1Pod, byName: ByName) {
  const tally = { running: 0, waiting: 0, unknown: 0, stopped: 0 };
  let [restartable, succeeded] = [0, 0];
  for (const container of containersOf(pod)) {
    const status = byName.get(container.name);
    const kind = kindOf(status);
    tally[kind]++;
    const ended = kind === "stopped" ? endOf(status) : undefined;
    if (ended === undefined) continue;
    if (isRestartable(pod, container, ended)) restartable++;
    if (status?.state.terminated?.exitCode === 0) succeeded++;
  }
  return { ...tally, restartable, succeeded };
}

function endOf(
  status: ContainerStatusJson | undefined,
): TerminatedState | undefined {
  return status?.state.terminated ?? status?.lastState.terminated;
}

function isRestartable(
  pod: V1Pod,
  container: V1Container,
  { exitCode, reason }: TerminatedState,
): boolean {
  return reason === RESTARTING_REASON || mayRestart(pod, container, exitCode);
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
