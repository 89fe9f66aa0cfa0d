/** The words under which people look for a failed action. Pure. */
import { AgentError } from "../base/errors.ts";
import type { Action } from "../pod/action.ts";

/** The waiting reason. */
export function reasonOf(action: Action, error: unknown): string {
  if (error instanceof AgentError && error.reason !== undefined) {
    return error.reason;
  }
  switch (action.kind) {
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
