/**
 * May an exited container run again, and when? The delay is derived from what
 * is written on the container and from when it ran, so it survives the agent.
 *
 * Compat: kubelet 1.36 ContainerShouldRestart; doBackOff: the first crash
 * restarts at once, then 10 s doubling to the limit, counted from the exit; a
 * container that ran for ten minutes starts over.
 */
import { restartPolicyOf } from "../api/pod.ts";
import type { V1Container, V1Pod } from "../api/types.ts";
import type { ObservedContainer } from "./facts.ts";
import { remembered } from "./labels.ts";

const FORGET_AFTER_MS = 600_000;
const OUT_OF_MEMORY = "OOMKilled";
const KILLED_EXIT_CODE = 137;

/** Whether a container that ended so is to run again, by rule or policy. */
export function mayRestart(
  pod: V1Pod,
  container: V1Container,
  exitCode: number,
): boolean {
  if (ruleAction(container, exitCode) !== undefined) return true;
  const policy = restartPolicyOf(pod, container);
  return policy === "Always" || (policy === "OnFailure" && exitCode !== 0);
}

export type RuleAction = "Restart" | "RestartAllContainers";

/** What the first matching rule says; rules count beside a policy only. */
export function ruleAction(
  { restartPolicy, restartPolicyRules = [] }: V1Container,
  exitCode: number,
): RuleAction | undefined {
  if (restartPolicy === undefined) return undefined;
  const found = restartPolicyRules.find(({ exitCodes }) => {
    const isNamed = exitCodes?.values?.includes(exitCode) ?? false;
    if (exitCodes?.operator === "In") return isNamed;
    return exitCodes?.operator === "NotIn" && !isNamed;
  });
  const action = found?.action;
  return action === "Restart" || action === "RestartAllContainers"
    ? action
    : undefined;
}

/** Compat: kubelet 1.36 isInitContainerFailed: out of memory is a failure. */
export function initExitCode(
  { exitCode, reason }: Pick<ObservedContainer, "exitCode" | "reason">,
): number {
  return exitCode === 0 && reason === OUT_OF_MEMORY
    ? KILLED_EXIT_CODE
    : exitCode;
}

/** How long to wait after the exit of `instance`, and what the next earns. */
export interface RestartDelay {
  readonly delayMs: number;
  readonly dueAtMs: number;
  /** Written on the next instance. */
  readonly nextCrashDelayMs: number;
}

/** Of the node: the delay after a second crash, and the longest one. */
export interface RestartLimits {
  readonly firstRestartDelayMs: number;
  readonly longestRestartDelayMs: number;
}

export function restartDelay(
  instance: ObservedContainer,
  limits: RestartLimits,
): RestartDelay {
  const ranMs = instance.startedAtMs > 0
    ? instance.finishedAtMs - instance.startedAtMs
    : 0;
  const delayMs = ranMs > FORGET_AFTER_MS ? 0 : earnedDelayMs(instance, limits);
  return {
    delayMs,
    dueAtMs: instance.finishedAtMs + delayMs,
    nextCrashDelayMs: grown(delayMs, limits),
  };
}

/**
 * Of a container that a probe had killed: it starts again in the same breath,
 * unless the one before it ended less than a delay ago.
 * Compat: kubelet 1.36 doBackOff, which looks at the dead instance of before.
 */
export function probeRestartDelay(
  instance: ObservedContainer,
  older: ObservedContainer | undefined,
  limits: RestartLimits,
): RestartDelay {
  const usual = restartDelay(instance, limits);
  if (older?.state !== "exited") {
    const { delayMs: nextCrashDelayMs } = usual;
    const dueAtMs = instance.finishedAtMs;
    return { delayMs: 0, dueAtMs, nextCrashDelayMs };
  }
  const sinceMs = instance.finishedAtMs - older.finishedAtMs;
  return sinceMs < usual.delayMs
    ? usual
    : { ...usual, delayMs: 0, dueAtMs: instance.finishedAtMs };
}

function grown(delayMs: number, limits: RestartLimits): number {
  return delayMs === 0
    ? firstOf(limits)
    : Math.min(delayMs * 2, limits.longestRestartDelayMs);
}

function firstOf(limits: RestartLimits): number {
  return Math.min(limits.firstRestartDelayMs, limits.longestRestartDelayMs);
}

/** From its own note, or from the restart count when another agent made it. */
function earnedDelayMs(
  instance: ObservedContainer,
  limits: RestartLimits,
): number {
  const { crashDelayMs, restartCount } = remembered(instance.annotations);
  const earned = crashDelayMs ??
    (restartCount === 0
      ? 0
      : firstOf(limits) * 2 ** Math.min(restartCount - 1, 20));
  return Math.min(earned, limits.longestRestartDelayMs);
}
