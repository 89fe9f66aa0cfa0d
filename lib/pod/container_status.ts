/**
 * One container's status, projected from what the runtime reports. Nothing is
 * stored twice: state, last state and counts all come from the instances.
 * Compat: kubelet 1.36 convertToAPIContainerStatuses.
 */
import { restartPolicyOf } from "../api/pod.ts";
import type { ContainerState, ContainerStatusJson } from "../api/status.ts";
import type { V1Container, V1Pod } from "../api/types.ts";
import type { Blocker } from "./action.ts";
import { type Facts, instancesOf, type ObservedContainer } from "./facts.ts";
import { remembered } from "./labels.ts";
import { mayRestart } from "./restart.ts";

const FIRST_WAITING = "ContainerCreating";

/** `reason` is what keeps the container from starting, if something does. */
export function containerStatus(
  facts: Facts,
  at: { readonly pod: V1Pod; readonly container: V1Container },
  reason: Blocker | undefined,
): ContainerStatusJson {
  const { container } = at;
  const [newest, older] = instancesOf(facts.observed, container.name);
  const waiting = waitingState(reason);
  if (newest === undefined) {
    return {
      name: container.name,
      state: waiting,
      lastState: {},
      ready: false,
      started: false,
      restartCount: 0,
      image: container.image ?? "",
      imageID: "",
    };
  }
  const isRunning = newest.state === "running";
  const willRestart = newest.state === "exited" && facts.pod !== undefined &&
    mayRestart(restartPolicyOf(at.pod, container), newest.exitCode) &&
    // Compat: kubelet 1.36: only a recorded failure turns an end into waiting.
    reason !== undefined && isContract(reason);
  return {
    name: container.name,
    state: willRestart ? waiting : stateOf(facts, newest, waiting),
    lastState: willRestart
      ? terminated(facts, newest)
      : older?.state === "exited"
      ? terminated(facts, older)
      : {},
    ready: isRunning,
    started: isRunning,
    restartCount: remembered(newest.annotations).restartCount,
    image: newest.image,
    imageID: newest.imageRef,
    containerID: `${facts.runtime.name}://${newest.id}`,
  };
}

function stateOf(
  facts: Facts,
  instance: ObservedContainer,
  waiting: ContainerState,
): ContainerState {
  switch (instance.state) {
    case "running":
      return { running: timed("startedAt", instance.startedAtMs) };
    case "exited":
      return terminated(facts, instance);
    case "created":
    case "unknown":
      return waiting;
  }
}

function terminated(facts: Facts, instance: ObservedContainer): ContainerState {
  return {
    terminated: {
      exitCode: instance.exitCode,
      reason: instance.reason,
      ...instance.message === "" ? {} : { message: instance.message },
      ...timed("startedAt", instance.startedAtMs),
      ...timed("finishedAt", instance.finishedAtMs),
      containerID: `${facts.runtime.name}://${instance.id}`,
    },
  };
}

/** Only words that are contract show up as a reason; others as the default. */
function waitingState(blocker: Blocker | undefined): ContainerState {
  if (blocker === undefined || !isContract(blocker)) {
    return { waiting: { reason: FIRST_WAITING } };
  }
  return { waiting: { reason: blocker.what, message: blocker.message } };
}

function isContract(blocker: Blocker): boolean {
  return /^[A-Z]/.test(blocker.what);
}

function timed<Key extends string>(
  key: Key,
  ms: number,
): { readonly [K in Key]?: string } {
  const fields: { [K in Key]?: string } = {};
  if (ms > 0) fields[key] = secondsText(ms);
  return fields;
}

/** RFC 3339 with whole seconds, as the API server keeps times. */
export function secondsText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
