/**
 * May an exited container run again, and when? The delay is derived from what
 * is written on the container and from when it ran, so it survives the agent.
 *
 * Compat: kubelet 1.36 doBackOff: the first crash restarts at once, then 10 s
 * doubling to the limit, counted from the exit; a container that ran for ten
 * minutes starts over.
 */
import type { RestartPolicy } from "../api/pod.ts";
import type { ObservedContainer } from "./facts.ts";
import { remembered } from "./labels.ts";

const FIRST_DELAY_MS = 10_000;
const FORGET_AFTER_MS = 600_000;

export function mayRestart(policy: RestartPolicy, exitCode: number): boolean {
  return policy === "Always" || (policy === "OnFailure" && exitCode !== 0);
}

/** How long to wait after the exit of `instance`, and what the next earns. */
export interface RestartDelay {
  readonly delayMs: number;
  readonly dueAtMs: number;
  /** Written on the next instance. */
  readonly nextCrashDelayMs: number;
}

export function restartDelay(
  instance: ObservedContainer,
  longestMs: number,
): RestartDelay {
  const ranMs = instance.startedAtMs > 0
    ? instance.finishedAtMs - instance.startedAtMs
    : 0;
  const delayMs = ranMs > FORGET_AFTER_MS
    ? 0
    : earnedDelayMs(instance, longestMs);
  const first = Math.min(FIRST_DELAY_MS, longestMs);
  return {
    delayMs,
    dueAtMs: instance.finishedAtMs + delayMs,
    nextCrashDelayMs: delayMs === 0 ? first : Math.min(delayMs * 2, longestMs),
  };
}

/** From its own note, or from the restart count when another agent made it. */
function earnedDelayMs(instance: ObservedContainer, longestMs: number): number {
  const { crashDelayMs, restartCount } = remembered(instance.annotations);
  const first = Math.min(FIRST_DELAY_MS, longestMs);
  const earned = crashDelayMs ??
    (restartCount === 0 ? 0 : first * 2 ** Math.min(restartCount - 1, 20));
  return Math.min(earned, longestMs);
}
