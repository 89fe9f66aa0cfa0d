/**
 * One container's status, projected from what the runtime reports. What the
 * runtime has forgotten comes from the status before.
 * Compat: kubelet 1.36 convertToAPIContainerStatuses.
 */
import { restartPolicyOf } from "../api/pod.ts";
import type { ContainerState, ContainerStatusJson } from "../api/status.ts";
import type { V1Container, V1Pod } from "../api/types.ts";
import type { Blocker } from "./action.ts";
import {
  containerResources,
  containerUser,
  volumeMounts,
} from "./container_resources.ts";
import {
  endedState,
  lostState,
  plainState,
  runningState,
  waitingState,
} from "./container_state.ts";
import { type Facts, instancesOf, type ObservedContainer } from "./facts.ts";
import { remembered } from "./labels.ts";
import { mayRestart } from "./restart.ts";

export interface ContainerPlace {
  readonly pod: V1Pod;
  readonly container: V1Container;
  /** What keeps the container from starting, if something does. */
  readonly reason: Blocker | undefined;
}

export function containerStatus(
  facts: Facts,
  at: ContainerPlace,
  before: ContainerStatusJson | undefined,
): ContainerStatusJson {
  const { container } = at;
  const old = before === undefined ? undefined : plainStatus(before);
  const [newest, older] = instancesOf(facts.observed, container.name);
  const status = newest === undefined
    ? unseenStatus(at, old)
    : seenStatus(facts, { ...at, newest, older }, old);
  // Compat: kubelet 1.36: only a recorded failure turns an end into waiting.
  const reason = isContract(at.reason) ? at.reason : heldReason(status, old);
  if (reason === undefined || !willStart(facts, at, newest)) return status;
  const { state } = status;
  return {
    ...status,
    state: waitingState(at.pod, reason),
    lastState: state.terminated === undefined ? status.lastState : state,
  };
}

/**
 * What was in the way stays the reason until the container has started.
 * Compat: kubelet 1.36 ReasonCache.Update.
 */
function heldReason(
  status: ContainerStatusJson,
  old: ContainerStatusJson | undefined,
): Blocker | undefined {
  const { waiting } = old?.state ?? {};
  if (waiting === undefined || UNFOUNDED.includes(waiting.reason)) {
    return undefined;
  }
  if (old?.containerID !== status.containerID) return undefined;
  return { what: waiting.reason, message: waiting.message ?? "" };
}

/** Compat: kubelet 1.36 ShouldContainerBeRestarted. */
function willStart(
  facts: Facts,
  { pod, container }: ContainerPlace,
  newest: ObservedContainer | undefined,
): boolean {
  if (pod.metadata?.deletionTimestamp !== undefined) return false;
  if (newest === undefined) return true;
  if (newest.state !== "exited") return newest.state !== "running";
  return facts.pod !== undefined &&
    mayRestart(restartPolicyOf(pod, container), newest.exitCode);
}

/** Only words that are contract show up as a reason; others do not. */
function isContract(blocker: Blocker | undefined): blocker is Blocker {
  return blocker !== undefined && /^[A-Z]/.test(blocker.what);
}

/** Shown where nobody knows of anything in the way. */
const UNFOUNDED: readonly string[] = ["ContainerCreating", "PodInitializing"];

/** The runtime has nothing of it: never started, or lost. */
function unseenStatus(
  { pod, container }: ContainerPlace,
  old: ContainerStatusJson | undefined,
): ContainerStatusJson {
  if (old?.state.terminated !== undefined) {
    return { ...old, ready: false, started: false };
  }
  const { restartCount = 0, lastState = {} } = old ?? NEVER;
  const isLost = old?.state.running !== undefined &&
    lastState.terminated === undefined;
  const isDeleted = pod.metadata?.deletionTimestamp !== undefined;
  return {
    name: container.name,
    state: waitingState(pod),
    lastState: isLost ? lostState("deleted") : lastState,
    ready: false,
    started: false,
    restartCount: restartCount + (isLost && !isDeleted ? 1 : 0),
    image: container.image ?? "",
    imageID: "",
    ...volumeMounts(container, undefined, old),
  };
}

const NEVER: Partial<ContainerStatusJson> = {};

interface Instances extends ContainerPlace {
  readonly newest: ObservedContainer;
  readonly older: ObservedContainer | undefined;
}

function seenStatus(
  facts: Facts,
  at: Instances,
  old: ContainerStatusJson | undefined,
): ContainerStatusJson {
  const { container, newest } = at;
  const containerID = `${facts.runtime.name}://${newest.id}`;
  const isRunning = newest.state === "running";
  const state = stateOf(facts, at, old);
  return {
    name: container.name,
    state,
    lastState: lastStateOf(facts, at, old),
    ready: isRunning,
    started: isRunning,
    restartCount: restartCount(newest, state, old),
    image: newest.image,
    imageID: newest.imageRef,
    containerID,
    ...containerResources(container, newest),
    ...volumeMounts(container, newest, old),
    ...containerUser(newest),
  };
}

function stateOf(
  facts: Facts,
  { pod, newest }: Instances,
  old: ContainerStatusJson | undefined,
): ContainerState {
  switch (newest.state) {
    case "running":
      return runningState(newest);
    case "exited":
      return endedState(facts, pod, newest);
    case "created":
      return waitingState(pod);
    case "unknown":
      // Waiting would say that it never ran.
      if (old?.state.running !== undefined) return lostState("terminated");
      return old?.state.terminated === undefined
        ? waitingState(pod)
        : old.state;
  }
}

function lastStateOf(
  facts: Facts,
  { pod, newest, older }: Instances,
  old: ContainerStatusJson | undefined,
): ContainerState {
  if (older?.state === "exited") return endedState(facts, pod, older);
  const containerID = `${facts.runtime.name}://${newest.id}`;
  const isOther = old?.containerID !== containerID;
  const last = isOther && old?.state.terminated !== undefined
    ? old.state
    : old?.lastState ?? {};
  // A back-off that is over: its end is the state again.
  return last.terminated?.containerID === containerID ? {} : last;
}

/** The runtime's count, unless more is known of what it has forgotten. */
function restartCount(
  newest: ObservedContainer,
  state: ContainerState,
  old: ContainerStatusJson | undefined,
): number {
  const own = remembered(newest.annotations).restartCount;
  const known = Math.max(own, old?.restartCount ?? 0);
  const hasEnded = old?.state.terminated !== undefined;
  const isLost = newest.state === "unknown" && state.terminated !== undefined;
  const isNext = isLost
    ? !hasEnded
    : newest.state === "running" && hasEnded && old.restartCount >= own;
  return isNext ? known + 1 : known;
}

/** As the API server has it, a time may be null and a state missing. */
function plainStatus(status: ContainerStatusJson): ContainerStatusJson {
  return {
    ...status,
    state: plainState(status.state),
    lastState: plainState(status.lastState),
  };
}
