/**
 * Keep, start, restart or stop one container of a pod whose sandbox is ready.
 * Whose turn it is, init.ts and decide.ts say.
 * Compat: kubelet 1.36 computePodActions, ShouldContainerBeRestarted.
 */
import { restartPolicyOf } from "../api/pod.ts";
import { saying } from "./action.ts";
import type { ContainerPlace, ContainerPlan } from "./container_plan.ts";
import { logPlace, planImage, waiting } from "./container_start.ts";
import { crashBlocker, isChanged, wasEndedByProbe } from "./crash.ts";
import { type Facts, instancesOf, type ObservedContainer } from "./facts.ts";
import { postStart } from "./post_start.ts";
import { initExitCode, mayRestart } from "./restart.ts";
import { secondsOf, specGrace, stopContainers } from "./stop.ts";

const KEPT: ContainerPlan = { kind: "kept" };
const FINISHED: ContainerPlan = { kind: "finished" };

export function planContainer(
  facts: Facts,
  place: ContainerPlace,
  nowMs: number,
): ContainerPlan {
  const { container, role } = place;
  const instance = instancesOf(facts.observed, container.name)[0];
  if (instance === undefined) {
    return facts.lost.has(container.name)
      ? FINISHED
      : planStart(facts, place, nowMs);
  }
  switch (instance.state) {
    case "running":
      return planRunning(facts, place, instance);
    case "unknown":
      return role === "ephemeral"
        ? KEPT
        : { kind: "act", actions: stopContainers([instance], 0) };
    case "created":
      if (isStale(place, instance)) {
        return role === "ephemeral" ? FINISHED : planStart(facts, place, nowMs);
      }
      return failureOf(facts, place, nowMs) ??
        startCreated(facts, place, instance);
    case "exited":
      return runsAgain(facts, place, instance)
        ? planStart(facts, place, nowMs)
        : FINISHED;
  }
}

/** Made for what the pod was before. */
function isStale(
  { container, role, sandbox }: ContainerPlace,
  instance: ObservedContainer,
): boolean {
  return instance.sandboxId !== sandbox.id ||
    (role !== "ephemeral" && isChanged(instance, container));
}

/** A new image means a new container, whatever the restart policy. */
function runsAgain(
  facts: Facts,
  { pod, container, role, sandbox }: ContainerPlace,
  instance: ObservedContainer,
): boolean {
  switch (role) {
    case "ephemeral":
      return false;
    case "sidecar":
      return true;
    case "init": {
      // A new sandbox runs them all again.
      if (instance.sandboxId !== sandbox.id) return true;
      const exitCode = initExitCode(instance);
      return exitCode !== 0 && mayRestart(pod, container, exitCode);
    }
    case "regular":
      return isChanged(instance, container) ||
        facts.resize.outgrown.has(instance.id) ||
        mayRestart(pod, container, instance.exitCode) ||
        (wasEndedByProbe(facts, instance) &&
          restartPolicyOf(pod, container) !== "Never");
  }
}

function planRunning(
  facts: Facts,
  place: ContainerPlace,
  instance: ObservedContainer,
): ContainerPlan {
  const { container, role } = place;
  if (role === "init" || role === "ephemeral") return KEPT;
  const failed = facts.verdicts.get(instance.id)?.failed;
  const isTooSmall = facts.resize.outgrown.has(instance.id);
  const why = isChanged(instance, container)
    ? "changed"
    : failed ?? (isTooSmall ? "resized" : undefined);
  if (why === undefined) return KEPT;
  const actions = stopContainers([instance], graceFor(place, why));
  return { kind: "act", actions: saying(wordsFor(place, why), actions) };
}

type StopReason = "changed" | "resized" | "liveness" | "startup";

/** A probe may have a grace of its own, be it shorter or longer. */
function graceFor({ pod, container }: ContainerPlace, why: StopReason): number {
  const probe = why === "startup"
    ? container.startupProbe
    : why === "liveness"
    ? container.livenessProbe
    : undefined;
  const own = probe?.terminationGracePeriodSeconds;
  return own === undefined ? specGrace(pod) : secondsOf(own);
}

/** Compat: kubelet 1.36, whose event this is. */
function wordsFor(
  { pod, container, role }: ContainerPlace,
  why: StopReason,
): string {
  const { name } = container;
  if (why === "resized") return `Container ${name} resize requires restart`;
  const what = why === "changed" ? "definition changed" : `failed ${why} probe`;
  if (role === "sidecar") return `Init container ${name} ${what}`;
  const isRestarted = why === "changed" ||
    restartPolicyOf(pod, container) !== "Never";
  return `Container ${name} ${what}` +
    (isRestarted ? ", will be restarted" : "");
}

/** The agent died between create and start: the same instance goes on. */
function startCreated(
  facts: Facts,
  place: ContainerPlace,
  instance: ObservedContainer,
): ContainerPlan {
  const { id, name, attempt } = instance;
  const log = logPlace(facts, place, attempt);
  const hook = postStart(facts, place);
  return {
    kind: "act",
    actions: [{ kind: "start-created-container", id, name, log, ...hook }],
  };
}

function planStart(
  facts: Facts,
  place: ContainerPlace,
  nowMs: number,
): ContainerPlan {
  const crash = crashBlocker(facts, place, nowMs);
  const failed = failureOf(facts, place, nowMs);
  if (failed?.kind === "wait" && crash?.untilMs !== undefined) {
    // Both hold it back: the failure's words, and the later time.
    const { untilMs = crash.untilMs, ...rest } = failed.blocker;
    return waiting({ ...rest, untilMs: Math.max(untilMs, crash.untilMs) });
  }
  if (failed !== undefined) return failed;
  if (crash !== undefined) return waiting(crash);
  return planImage(facts, place, nowMs);
}

/** The last try failed and the next is not due yet. */
function failureOf(
  facts: Facts,
  place: ContainerPlace,
  nowMs: number,
): ContainerPlan | undefined {
  const failure = facts.failures.get(place.container.name);
  if (failure === undefined || failure.retryAtMs <= nowMs) return undefined;
  const { reason, message, retryAtMs, count } = failure;
  return waiting({ what: reason, message, untilMs: retryAtMs, count });
}
