/**
 * One container's status, projected from what the runtime reports. What the
 * runtime has forgotten comes from the status before.
 * Compat: kubelet 1.36 convertToAPIContainerStatuses.
 */
import { type ContainerRole, containersOf } from "../api/pod.ts";
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
  initializedState,
  lostState,
  plainState,
  removedState,
  runningState,
  waitingState,
} from "./container_state.ts";
import { type Facts, instancesOf, type ObservedContainer } from "./facts.ts";
import { remembered } from "./labels.ts";
import { mayRestart } from "./restart.ts";
import { RESTARTING_REASON } from "./restart_all.ts";
import { type Standing, standingOf } from "./standing.ts";

export interface ContainerPlace {
  readonly pod: V1Pod;
  readonly container: V1Container;
  readonly role: ContainerRole;
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
    ? unseenStatus(facts, at, old)
    : seenStatus(facts, { ...at, newest, older }, old);
  if (at.role === "init" && status.state.terminated?.exitCode === 0) {
    return { ...status, ready: true };
  }
  // Compat: kubelet 1.36: only a recorded failure turns an end into waiting.
  const reason = isContract(at.reason) ? at.reason : heldReason(status, old);
  // What ends to start with other resources has not ended for good.
  const isReplaced = newest?.state === "exited" &&
    facts.resize.outgrown.has(newest.id);
  if (reason === undefined && !isReplaced) return status;
  if (!willStart(facts, at, newest)) return status;
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
    (facts.resize.outgrown.has(newest.id) ||
      mayRestart(pod, container, newest.exitCode));
}

/** Only words that are contract show up as a reason; others do not. */
function isContract(blocker: Blocker | undefined): blocker is Blocker {
  return blocker !== undefined && /^[A-Z]/.test(blocker.what);
}

/** Shown where nobody knows of anything in the way. */
const UNFOUNDED: readonly string[] = [
  "ContainerCreating",
  "PodInitializing",
  RESTARTING_REASON,
];

/** The runtime has nothing of it: never started, or lost, or removed. */
function unseenStatus(
  facts: Facts,
  { pod, container, role }: ContainerPlace,
  old: ContainerStatusJson | undefined,
): ContainerStatusJson {
  const isRemoved = facts.isRestartingAll && old !== undefined &&
    old.state.waiting === undefined;
  if (old?.state.terminated !== undefined && !isRemoved) {
    return { ...old, ready: false, ...startedOf(role, WAITS) };
  }
  const { restartCount = 0, lastState = {} } = old ?? NEVER;
  const status = {
    name: container.name,
    state: waitingState(pod),
    lastState,
    ready: false,
    ...startedOf(role, WAITS),
    restartCount,
    image: container.image ?? "",
    imageID: "",
    ...volumeMounts(container, undefined, old),
  };
  if (isRemoved) {
    return {
      ...status,
      state: { waiting: { reason: RESTARTING_REASON, message: REMOVED } },
      lastState: removedState(RESTARTING_REASON, REMOVED),
      restartCount: restartCount + 1,
    };
  }
  if (role === "init" && hasBegun(facts, pod)) {
    return { ...status, state: initializedState() };
  }
  const isLost = old?.state.running !== undefined &&
    lastState.terminated === undefined;
  if (!isLost) return status;
  const isDeleted = pod.metadata?.deletionTimestamp !== undefined;
  return {
    ...status,
    lastState: lostState("deleted"),
    restartCount: restartCount + (isDeleted ? 0 : 1),
  };
}

/** Compat: kubelet 1.36 convertToAPIContainerStatuses. */
const REMOVED =
  "The container is removed because RestartAllContainers in place";

/** Compat: kubelet 1.36 HasAnyRegularContainerCreated. */
function hasBegun({ observed }: Facts, pod: V1Pod): boolean {
  return containersOf(pod).some(({ name }) =>
    instancesOf(observed, name).some(({ state }) => state !== "unknown")
  );
}

/** Of an ephemeral container nobody says whether it has started. */
function startedOf(
  role: ContainerRole,
  { isStarted }: Pick<Standing, "isStarted">,
): { readonly started?: boolean } {
  return role === "ephemeral" ? {} : { started: isStarted };
}

const WAITS = { isStarted: false };

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
  const state = stateOf(facts, at, old);
  const { isStarted, isReady } = standing(facts, at, old);
  return {
    name: container.name,
    state,
    lastState: lastStateOf(facts, at, old),
    ready: isReady,
    ...startedOf(at.role, { isStarted }),
    restartCount: restartCount(newest, state, old),
    image: newest.image,
    imageID: newest.imageRef,
    containerID,
    ...containerResources(
      container,
      newest,
      facts.resize.actuated?.containers.get(container.name),
    ),
    ...volumeMounts(container, newest, old),
    ...containerUser(newest),
    ...facts.settings.hasStopSignals && newest.stopSignal !== undefined
      ? { stopSignal: newest.stopSignal }
      : {},
  };
}

function standing(
  { verdicts, runtime }: Facts,
  { container, newest, role }: Instances,
  old: ContainerStatusJson | undefined,
): Standing {
  const isRunning = newest.state === "running";
  if (role === "init" || role === "ephemeral") {
    return { isStarted: isRunning, isReady: false };
  }
  const isSame = old?.containerID === `${runtime.name}://${newest.id}` &&
    old.state.running !== undefined;
  return standingOf(
    verdicts,
    { container, instance: newest },
    isSame
      ? { isStarted: old.started === true, isReady: old.ready }
      : undefined,
  );
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
