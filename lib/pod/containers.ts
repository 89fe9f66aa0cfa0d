/**
 * Keep, start, restart or stop one container of a pod whose sandbox is ready.
 * Compat: kubelet 1.36 computePodActions, shouldContainerBeRestarted.
 */
import { containerHash } from "../api/hash.ts";
import { podNameOf, restartPolicyOf, usesHostNetwork } from "../api/pod.ts";
import type { V1Container, V1Pod } from "../api/types.ts";
import type { SandboxStatus } from "../port/runtime_status.ts";
import type { ImageState } from "../image/types.ts";
import type { Action, Blocker, LogPlace } from "./action.ts";
import { containerSpec } from "./container_spec.ts";
import { type Facts, instancesOf, type ObservedContainer } from "./facts.ts";
import { remembered } from "./labels.ts";
import { containerLogFile, logLinkPrefix, podLogDirectory } from "./paths.ts";
import { pullPolicy } from "./pull_policy.ts";
import { referencesFor } from "./references.ts";
import { mayRestart, restartDelay } from "./restart.ts";
import { sandboxSpec } from "./sandbox_spec.ts";
import { specGrace, stopContainers } from "./stop.ts";
import { readyVolumes, volumeBlocker } from "./volumes.ts";

/** What one container needs now. */
export type ContainerPlan =
  /** Runs as it should. */
  | { readonly kind: "kept" }
  /** Ended, and is not to run again. */
  | { readonly kind: "finished" }
  /** Something is to be done at once. */
  | { readonly kind: "act"; readonly actions: readonly Action[] }
  /** Waits; `actions` may ask for what it waits for. */
  | {
    readonly kind: "wait";
    readonly blocker: Blocker;
    readonly actions: readonly Action[];
  }
  /** Cannot be started as written. */
  | { readonly kind: "refused"; readonly message: string };

interface Place {
  readonly pod: V1Pod;
  readonly container: V1Container;
  readonly sandbox: SandboxStatus;
}

export function planContainer(
  facts: Facts,
  place: Place,
  nowMs: number,
): ContainerPlan {
  const { pod, container } = place;
  const instance = instancesOf(facts.observed, container.name)[0];
  if (instance === undefined) {
    return facts.lost.has(container.name)
      ? { kind: "finished" }
      : planStart(facts, place, nowMs);
  }
  const isChanged = remembered(instance.annotations).hash !==
    containerHash(container.name, container.image ?? "");
  switch (instance.state) {
    case "running":
      return isChanged ? stopChanged(pod, instance) : { kind: "kept" };
    case "unknown":
      return { kind: "act", actions: stopContainers([instance], 0) };
    case "created":
      return isChanged || instance.sandboxId !== place.sandbox.id
        ? planStart(facts, place, nowMs)
        : failureOf(facts, place, nowMs) ??
          startCreated(facts, place, instance);
    case "exited":
      return isChanged ||
          mayRestart(restartPolicyOf(pod, container), instance.exitCode)
        ? planStart(facts, place, nowMs)
        : { kind: "finished" };
  }
}

/** A new image means a new container, whatever the restart policy. */
function stopChanged(pod: V1Pod, instance: ObservedContainer): ContainerPlan {
  const actions = stopContainers([instance], specGrace(pod)).map((action) =>
    action.kind === "stop-containers"
      ? {
        ...action,
        containers: action.containers.map((container) => ({
          ...container,
          message:
            `Container ${instance.name} definition changed, will be restarted`,
        })),
      }
      : action
  );
  return { kind: "act", actions };
}

/** The agent died between create and start: the same instance goes on. */
function startCreated(
  facts: Facts,
  place: Place,
  instance: ObservedContainer,
): ContainerPlan {
  const log = logPlace(facts, place, instance.attempt);
  return {
    kind: "act",
    actions: [{
      kind: "start-created-container",
      id: instance.id,
      name: instance.name,
      log,
    }],
  };
}

function planStart(facts: Facts, place: Place, nowMs: number): ContainerPlan {
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
  place: Place,
  nowMs: number,
): ContainerPlan | undefined {
  const failure = facts.failures.get(place.container.name);
  if (failure === undefined || failure.retryAtMs <= nowMs) return undefined;
  const { reason, message, retryAtMs, count } = failure;
  return waiting({ what: reason, message, untilMs: retryAtMs, count });
}

function crashBlocker(
  facts: Facts,
  place: Place,
  nowMs: number,
): Blocker | undefined {
  const instance = instancesOf(facts.observed, place.container.name)[0];
  if (instance === undefined) return undefined;
  if (wasReplaced(instance, place.container)) return undefined;
  const limit = facts.settings.longestRestartDelayMs;
  const { delayMs, dueAtMs } = restartDelay(instance, limit);
  if (dueAtMs <= nowMs) return undefined;
  const { restartCount } = remembered(instance.annotations);
  return {
    what: "CrashLoopBackOff",
    message: backOffMessage(facts, place, delayMs),
    untilMs: dueAtMs,
    count: restartCount + 1,
  };
}

/** Compat: kubelet 1.36 doBackOff's message, which people search for. */
function backOffMessage(facts: Facts, place: Place, delayMs: number): string {
  const { name, namespace } = podNameOf(place.pod);
  return `back-off ${goSeconds(delayMs)} restarting failed container=` +
    `${place.container.name} pod=${name}_${namespace}(${facts.uid})`;
}

/** Go's way to print whole seconds: `40s`, `1m20s`, `5m0s`. */
function goSeconds(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60
    ? `${seconds}s`
    : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}

function planImage(facts: Facts, place: Place, nowMs: number): ContainerPlan {
  const { container } = place;
  const known = facts.images.get(container.name);
  const image = known?.image === container.image ? known : undefined;
  switch (image?.kind) {
    case undefined:
      return {
        kind: "wait",
        blocker: { what: "image", message: `Looking for ${container.image}` },
        actions: [ensureImage(container)],
      };
    case "checking":
    case "queued":
    case "pulling":
      return waiting({
        what: "image",
        message: `Image ${container.image} is ${image.kind} since ` +
          new Date(image.sinceMs).toISOString(),
      });
    case "failed":
      return imageFailed(container, image, nowMs);
    case "present":
      return startContainer(facts, { ...place, image }, nowMs);
  }
}

/** Compat: kubelet 1.36 EnsureImageExists: only a failed pull backs off. */
function imageFailed(
  container: V1Container,
  image: Extract<ImageState, { kind: "failed" }>,
  nowMs: number,
): ContainerPlan {
  const { reason, message, retryAtMs, count } = image;
  if (retryAtMs <= nowMs) {
    return {
      kind: "wait",
      blocker: { what: reason, message, count },
      actions: [ensureImage(container)],
    };
  }
  const isPull = reason !== "ErrImageNeverPull" &&
    reason !== "InvalidImageName";
  return waiting({
    what: isPull ? "ImagePullBackOff" : reason,
    message: isPull
      ? `Back-off pulling image "${container.image}": ${reason}: ${message}`
      : message,
    untilMs: retryAtMs,
    count,
  });
}

export function ensureImage(container: V1Container): Action {
  return {
    kind: "ensure-image",
    container: container.name,
    image: container.image ?? "",
    policy: pullPolicy(container),
  };
}

function startContainer(
  facts: Facts,
  place: Place & { image: { ref: string; uid?: bigint; userName: string } },
  nowMs: number,
): ContainerPlan {
  const { pod, container, sandbox, image } = place;
  const { settings } = facts;
  const volumePaths = readyVolumes(facts, pod);
  if (volumePaths === undefined) return waiting(volumeBlocker(facts));
  const needy = { pod, container, volumePaths };
  const references = referencesFor(facts, needy, nowMs);
  if (references.kind === "wait") return references;
  const instance = instancesOf(facts.observed, container.name)[0];
  const attempt = instance === undefined
    ? facts.loggedAttempts.get(container.name) ?? 0
    : remembered(instance.annotations).restartCount + 1;
  const result = containerSpec(settings, { pod, container }, {
    attempt,
    crashDelayMs: instance === undefined || wasReplaced(instance, container)
      ? 0
      : restartDelay(instance, settings.longestRestartDelayMs).nextCrashDelayMs,
    image,
    podIps: usesHostNetwork(pod) ? facts.hostIps : sandbox.ips,
    hostIps: facts.hostIps,
    allocatable: facts.allocatable,
    services: references.services,
    found: references.found,
    volumePaths,
  });
  if (result.kind === "refused") return result;
  return {
    kind: "act",
    actions: [{
      kind: "start-container",
      sandboxId: sandbox.id,
      sandbox: sandboxSpec(settings, pod, sandbox.attempt),
      container: result.spec,
      log: logPlace(facts, place, attempt),
      messageFile: result.messageFile,
    }],
  };
}

/** A changed image starts with a clean slate. */
function wasReplaced(
  instance: ObservedContainer,
  container: V1Container,
): boolean {
  return remembered(instance.annotations).hash !==
    containerHash(container.name, container.image ?? "");
}

function logPlace(facts: Facts, place: Place, attempt: number): LogPlace {
  const { name } = place.container;
  const pod = podNameOf(place.pod);
  const directory = podLogDirectory(facts.settings, pod);
  return {
    directory: `${directory}/${name}`,
    file: `${directory}/${containerLogFile(name, attempt)}`,
    linkPrefix: logLinkPrefix(facts.settings, pod, name),
  };
}

function waiting(blocker: Blocker): ContainerPlan {
  return { kind: "wait", blocker, actions: [] };
}
