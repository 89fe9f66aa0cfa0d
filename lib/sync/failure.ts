/**
 * What is remembered and told of work that failed: the words under which
 * people look for it, and when it is tried again. Pure.
 */
import { afterFailure, dueAtMs } from "../base/backoff.ts";
import { AgentError } from "../base/errors.ts";
import type { Action } from "../pod/action.ts";
import type { Failure } from "../pod/facts.ts";

/** Ours: the kubelet retries each failed sync after 10 to 15 s. */
export const RETRY = {
  initialMs: 1_000,
  maxMs: 60_000,
  forgetAfterMs: 600_000,
};
/** Its event has been told by whoever ran the hook. */
export const POST_START_HOOK_ERROR = "PostStartHookError";

/** One more failure of the same work. */
export function nextFailure(
  before: Failure | undefined,
  words: { readonly reason: string; readonly message: string },
  nowMs: number,
): Failure {
  const backoff = afterFailure(
    before && {
      delayMs: before.retryAtMs - before.failedAtMs,
      failedAtMs: before.failedAtMs,
    },
    nowMs,
    RETRY,
  );
  return {
    ...words,
    count: (before?.count ?? 0) + 1,
    failedAtMs: nowMs,
    retryAtMs: dueAtMs(backoff),
  };
}

/** True when it was the runtime that did not answer. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof AgentError && error.reason === "RuntimeUnavailable";
}

/** The waiting reason. */
export function reasonOf(action: Action, error: unknown): string {
  if (error instanceof AgentError && error.reason !== undefined) {
    return error.reason;
  }
  switch (action.kind) {
    case "make-cgroup":
      return "FailedCreatePodContainer";
    case "run-sandbox":
    case "refuse-sandbox":
    case "allocate-user-ids":
    case "make-pod-files":
      return "FailedCreatePodSandBox";
    default:
      return "FailedKillPod";
  }
}

/** Compat: the event reasons and messages of kubelet 1.36. */
export function eventOf(
  action: Action,
  message: string,
): { readonly reason: string; readonly message: string } {
  switch (action.kind) {
    case "run-sandbox":
    case "refuse-sandbox":
    case "allocate-user-ids":
      return {
        reason: "FailedCreatePodSandBox",
        message: `Failed to create pod sandbox: ${message}`,
      };
    case "make-cgroup":
      return {
        reason: "FailedCreatePodContainer",
        message: `unable to ensure pod container exists: ${message}`,
      };
    case "make-pod-files":
      return {
        reason: "Failed",
        message: `error making pod data directories: ${message}`,
      };
    case "start-container":
    case "start-created-container":
      return { reason: "Failed", message: `Error: ${message}` };
    default:
      return {
        reason: "FailedKillPod",
        message: `error killing pod: ${message}`,
      };
  }
}
