/**
 * The steps of resizes as they are told, and what their end is read from.
 * Compat: kubelet 1.36 events/resize.go.
 */
import { containersOf, initContainersOf } from "../api/pod.ts";
import type { PodStatusJson } from "../api/status.ts";
import type { Step } from "../api/step.ts";
import type { V1Container, V1Pod } from "../api/types.ts";
import { amounts, resourcesOf } from "./container_resources.ts";
import { isTerminal } from "./phase.ts";
import { IN_PROGRESS } from "./resize_conditions.ts";
import type { PendingResize, StartedResize } from "./resize_facts.ts";

export function startedStep(pod: V1Pod, generation: number): Step {
  const message = `Pod resize started: ${summary(pod, generation)}`;
  return { type: "Normal", reason: "ResizeStarted", message };
}

export function pendingStep(
  pod: V1Pod,
  { reason, message, generation }: PendingResize,
): Step {
  return {
    type: "Warning",
    reason: `Resize${reason}`,
    message: `Pod resize ${reason}: ${summary(pod, generation, message)}`,
  };
}

/** What a change of the status tells: a resize is over, or has failed. */
export function resizeSteps(
  pod: V1Pod,
  { before, status: after }: {
    readonly before: PodStatusJson | undefined;
    readonly status: PodStatusJson;
  },
  started: StartedResize | undefined,
): readonly Step[] {
  const old = conditionOf(before);
  const now = conditionOf(after);
  if (now === undefined) {
    const generation = old?.observedGeneration ?? started?.generation;
    const isOver = (old === undefined && started === undefined) ||
      isTerminal(after.phase);
    return isOver ? [] : [{
      type: "Normal",
      reason: "ResizeCompleted",
      message: `Pod resize completed: ${summary(pod, generation ?? 0)}`,
    }];
  }
  const { reason, message = "", observedGeneration = 0 } = now;
  const isTold = old?.reason === reason && old?.message === message;
  if (reason !== "Error" || isTold) return [];
  return [{
    type: "Warning",
    reason: "ResizeError",
    message: `Pod resize error: ${summary(pod, observedGeneration, message)}`,
  }];
}

export function isResizing(status: PodStatusJson): boolean {
  return conditionOf(status) !== undefined;
}

function conditionOf(status: PodStatusJson | undefined) {
  return status?.conditions.find(({ type }) => type === IN_PROGRESS);
}

function summary(pod: V1Pod, generation: number, error = ""): string {
  const init = initContainersOf(pod).map(sized);
  const regular = containersOf(pod).map(sized);
  return JSON.stringify({
    ...init.length === 0 ? {} : { initContainers: init },
    ...regular.length === 0 ? {} : { containers: regular },
    generation,
    ...error === "" ? {} : { error },
  });
}

function sized({ name, resources }: V1Container) {
  const requests = amounts(resources?.requests);
  const limits = amounts(resources?.limits);
  return { name, resources: resourcesOf(requests, limits) };
}
