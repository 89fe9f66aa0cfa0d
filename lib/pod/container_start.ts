/**
 * The way of one container to its start: its image, its volumes, its spec.
 * Called by containers.ts once nothing holds the start back.
 */
import { podNameOf, usesHostNetwork } from "../api/pod.ts";
import type { ContainerId } from "../api/id.ts";
import type { V1Container, V1EphemeralContainer } from "../api/types.ts";
import type { ImageState, PullPolicy } from "../image/types.ts";
import type { SandboxSpec } from "../port/runtime_spec.ts";
import type { MountedVolume } from "../volume/types.ts";
import type { Action, Blocker, LogPlace } from "./action.ts";
import { delayOf } from "./crash.ts";
import type { ContainerPlace, ContainerPlan } from "./container_plan.ts";
import { containerSpec } from "./container_spec.ts";
import { type Facts, instancesOf } from "./facts.ts";
import {
  asContainer,
  imageRefs,
  imageVolumeKey,
  imageVolumeState,
  mountedImages,
} from "./image_volumes.ts";
import { remembered } from "./labels.ts";
import { containerLogFile, logLinkPrefix, podLogDirectory } from "./paths.ts";
import { referencesFor } from "./references.ts";
import { postStart } from "./post_start.ts";
import { sandboxSpec, specBlocker } from "./sandbox_spec.ts";
import { effectiveResources } from "./size.ts";
import { readyVolumes, volumeBlocker } from "./volumes.ts";

/** Its image is looked for, then pulled, then it is made and started. */
export function planImage(
  facts: Facts,
  place: ContainerPlace,
  nowMs: number,
): ContainerPlan {
  const { container } = place;
  const known = facts.images.get(container.name);
  const image = known?.image === container.image ? known : undefined;
  if (image?.kind !== "present") {
    return imagePending(facts, place, { image, nowMs });
  }
  return waitForImageVolumes(facts, place, nowMs) ??
    startContainer(facts, { ...place, image }, nowMs);
}

/** Images that are mounted are fetched as those that run are. */
function waitForImageVolumes(
  facts: Facts,
  place: ContainerPlace,
  nowMs: number,
): ContainerPlan | undefined {
  for (const volume of mountedImages(place.pod, place.container)) {
    const image = imageVolumeState(facts, volume);
    if (image?.kind === "present") continue;
    const container = asContainer(volume);
    return imagePending(facts, { ...place, container }, { image, nowMs });
  }
  return undefined;
}

function imagePending(
  facts: Facts,
  place: ContainerPlace,
  { image, nowMs }: {
    readonly image: Exclude<ImageState, { kind: "present" }> | undefined;
    readonly nowMs: number;
  },
): ContainerPlan {
  const { container } = place;
  switch (image?.kind) {
    case undefined:
      return {
        kind: "wait",
        blocker: { what: "image", message: `Looking for ${container.image}` },
        actions: [askFor(facts, place)],
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
      return imageFailed(facts, place, { image, nowMs });
  }
}

/** Compat: kubelet 1.36 EnsureImageExists: only a failed pull backs off. */
function imageFailed(
  facts: Facts,
  place: ContainerPlace,
  { image, nowMs }: {
    readonly image: Extract<ImageState, { kind: "failed" }>;
    readonly nowMs: number;
  },
): ContainerPlan {
  const { container } = place;
  const { reason, message, retryAtMs, count } = image;
  if (retryAtMs <= nowMs) {
    return {
      kind: "wait",
      blocker: { what: reason, message, count },
      actions: [askFor(facts, place)],
    };
  }
  const isPull = !/^(ErrImageNeverPull|InvalidImageName|ImageInspectError)$/
    .test(reason);
  return waiting({
    what: isPull ? "ImagePullBackOff" : reason,
    message: isPull
      ? `Back-off pulling image "${container.image}": ${reason}: ${message}`
      : message,
    untilMs: retryAtMs,
    count,
  });
}

function askFor(
  facts: Facts,
  { pod, container, sandbox }: ContainerPlace,
): Action {
  const inside = sandboxSpec(facts, pod, sandbox.attempt);
  return ensureImage(
    container,
    inside.kind === "ok" ? inside.spec : undefined,
  );
}

/** `sandbox`: the runtime is told for which one it pulls. */
export function ensureImage(
  container: V1Container,
  sandbox: SandboxSpec | undefined,
): Action {
  return {
    kind: "ensure-image",
    ...sandbox === undefined ? {} : { sandbox },
    container: container.name,
    image: container.image ?? "",
    policy: pullPolicy(container),
  };
}

/** Compat: API defaulting: `Always` for `:latest` or no tag. */
function pullPolicy(container: V1Container): PullPolicy {
  const policy = container.imagePullPolicy;
  if (policy === "Always" || policy === "Never") return policy;
  if (policy === "IfNotPresent") return policy;
  const image = container.image ?? "";
  const tag = /:([^/:@]+)$/.exec(image)?.[1] ?? "latest";
  return tag === "latest" && !image.includes("@") ? "Always" : "IfNotPresent";
}

function startContainer(
  facts: Facts,
  place: ContainerPlace & {
    readonly image: { ref: string; uid?: bigint; userName: string };
  },
  nowMs: number,
): ContainerPlan {
  const { pod, container, sandbox, image } = place;
  const { settings } = facts;
  const volumePaths = readyVolumes(facts, pod);
  if (volumePaths === undefined) return waiting(volumeBlocker(facts));
  const needy = { pod, container, volumePaths: hostPathsOf(volumePaths) };
  const references = referencesFor(facts, needy, nowMs);
  if (references.kind === "wait") return references;
  const target = targetOf(facts, container);
  if (target.kind === "refused") return target;
  const inside = sandboxSpec(facts, pod, sandbox.attempt);
  if (inside.kind === "wait") return waiting(specBlocker(inside));
  if (inside.kind === "refused") return inside;
  const instance = instancesOf(facts.observed, container.name)[0];
  const attempt = instance === undefined
    ? facts.loggedAttempts.get(container.name) ?? 0
    : remembered(instance.annotations).restartCount + 1;
  const result = containerSpec(settings, { pod, container }, {
    attempt,
    crashDelayMs: delayOf(facts, container)?.nextCrashDelayMs ?? 0,
    image,
    ...target.id === undefined ? {} : { targetId: target.id },
    podIps: usesHostNetwork(pod) ? facts.hostIps : sandbox.ips,
    hostIps: facts.hostIps,
    allocatable: facts.allocatable,
    ...references,
    volumePaths,
    user: inside.spec.security.namespaces.user,
    imageVolumes: imageRefs(facts, pod, container),
    hasRecursiveReadOnly: facts.runtime.handlers.some((each) =>
      each.hasRecursiveReadOnlyMounts &&
      each.name === inside.spec.runtimeHandler
    ),
  });
  if (result.kind === "refused") return result;
  return {
    kind: "act",
    actions: [{
      kind: "start-container",
      sandboxId: sandbox.id,
      sandbox: inside.spec,
      container: result.spec,
      log: logPlace(facts, place, attempt),
      messageFile: result.messageFile,
      given: effectiveResources(pod, container, settings.gates),
      subPaths: result.subPaths,
      imageVolumes: mountedImages(pod, container)
        .map(({ name }) => imageVolumeKey(name)),
      ...postStart(facts, place),
      ...result.hosts === undefined ? {} : { hosts: result.hosts },
    }],
  };
}

function hostPathsOf(
  volumes: ReadonlyMap<string, MountedVolume>,
): ReadonlyMap<string, string> {
  return new Map([...volumes].map(([name, { path }]) => [name, path]));
}

export function logPlace(
  facts: Facts,
  place: ContainerPlace,
  attempt: number,
): LogPlace {
  const { name } = place.container;
  const pod = podNameOf(place.pod);
  const directory = podLogDirectory(facts.settings, pod);
  return {
    directory: `${directory}/${name}`,
    file: `${directory}/${containerLogFile(name, attempt)}`,
    linkPrefix: logLinkPrefix(facts.settings, pod, name),
  };
}

export function waiting(blocker: Blocker): ContainerPlan {
  return { kind: "wait", blocker, actions: [] };
}

type Target =
  | { readonly kind: "found"; readonly id: ContainerId | undefined }
  | Extract<ContainerPlan, { kind: "refused" }>;

/**
 * Whose processes an ephemeral container sees besides its own.
 * Compat: kubelet 1.36 startSpec.getTargetID.
 */
function targetOf(
  { observed }: Facts,
  container: V1Container | V1EphemeralContainer,
): Target {
  const name = "targetContainerName" in container
    ? container.targetContainerName
    : undefined;
  if (!name) return { kind: "found", id: undefined };
  const id = instancesOf(observed, name)[0]?.id;
  if (id !== undefined) return { kind: "found", id };
  const message = `unable to find target container ${name}`;
  return { kind: "refused", message };
}
