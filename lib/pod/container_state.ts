/** The states that a container's status may show. */
import { allContainersOf } from "../api/pod.ts";
import type { ContainerState } from "../api/status.ts";
import type { V1Pod } from "../api/types.ts";
import type { Blocker } from "./action.ts";
import type { Facts, ObservedContainer } from "./facts.ts";

/** Compat: kubelet 1.36 MaxPodTerminationMessageLogLength. */
const MOST_MESSAGE_BYTES = 12 * 1024;

const LOST = {
  terminated: "The container could not be located when the pod was terminated",
  deleted: "The container could not be located when the pod was deleted.  " +
    "The container used to be Running",
};

/** Without a reason: it is about to be made. */
export function waitingState(pod: V1Pod, blocker?: Blocker): ContainerState {
  if (blocker !== undefined) {
    const { what: reason, message } = blocker;
    return { waiting: { reason, ...message === "" ? {} : { message } } };
  }
  const hasInit = (pod.spec?.initContainers ?? []).length > 0;
  return {
    waiting: { reason: hasInit ? "PodInitializing" : "ContainerCreating" },
  };
}

export function runningState(instance: ObservedContainer): ContainerState {
  return { running: timed("startedAt", instance.startedAtMs) };
}

export function endedState(
  facts: Facts,
  pod: V1Pod,
  instance: ObservedContainer,
): ContainerState {
  const message = cut(instance.message, messageBytes(pod));
  return {
    terminated: {
      exitCode: instance.exitCode,
      reason: instance.reason,
      ...message === "" ? {} : { message },
      ...timed("startedAt", instance.startedAtMs),
      ...timed("finishedAt", instance.finishedAtMs),
      containerID: `${facts.runtime.name}://${instance.id}`,
    },
  };
}

/** Of a container that ran and of whose end nobody knows. */
export function lostState(when: keyof typeof LOST): ContainerState {
  return {
    terminated: {
      exitCode: 137,
      reason: "ContainerStatusUnknown",
      message: LOST[when],
    },
  };
}

/** Of a container that was removed on purpose. */
export function removedState(reason: string, message: string): ContainerState {
  return { terminated: { exitCode: 137, reason, message } };
}

/**
 * Of an init container of which the runtime has nothing, though a regular one
 * has run. Compat: kubelet 1.36 convertToAPIContainerStatuses.
 */
export function initializedState(): ContainerState {
  return {
    terminated: {
      exitCode: 0,
      reason: "Completed",
      message: "Unable to get init container status from container runtime " +
        "and pod has been initialized, treat it as exited normally",
    },
  };
}

/** Without the nulls that the API server shows for times it does not know. */
export function plainState(state: ContainerState | undefined): ContainerState {
  if (state?.waiting) return { waiting: state.waiting };
  if (state?.running) return { running: stamped(state.running) };
  return state?.terminated ? { terminated: stamped(state.terminated) } : {};
}

function stamped<
  T extends { readonly startedAt?: string; readonly finishedAt?: string },
>(state: T): Omit<T, "startedAt" | "finishedAt"> & {
  readonly startedAt?: string;
  readonly finishedAt?: string;
} {
  const { startedAt, finishedAt, ...rest } = state;
  return {
    ...rest,
    ...typeof startedAt === "string" ? { startedAt } : {},
    ...typeof finishedAt === "string" ? { finishedAt } : {},
  };
}

/** Compat: kubelet 1.36 normalizeStatus: the containers share what there is. */
function messageBytes(pod: V1Pod): number {
  const count = allContainersOf(pod).length;
  return Math.floor(MOST_MESSAGE_BYTES / Math.max(1, count));
}

/** At most `most` bytes, and no half character at the end. */
function cut(text: string, most: number): string {
  // A character has at most three bytes for each of its code units.
  if (text.length * 3 <= most) return text;
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= most) return text;
  return new TextDecoder().decode(bytes.subarray(0, most), { stream: true });
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
