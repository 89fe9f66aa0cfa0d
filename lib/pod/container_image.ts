/**
 * What a container waits for whose image is not there yet. Pure; images that
 * are mounted as volumes are waited for in the same way.
 */
import type { V1Container } from "../api/types.ts";
import type { ImageState, PullPolicy } from "../image/types.ts";
import type { Action, Blocker } from "./action.ts";

/** Waits; `actions` may ask for what it waits for. */
interface Waiting {
  readonly kind: "wait";
  readonly blocker: Blocker;
  readonly actions: readonly Action[];
}

export function imagePending(
  container: V1Container,
  image: Exclude<ImageState, { kind: "present" }> | undefined,
  nowMs: number,
): Waiting {
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
  }
}

/** Compat: kubelet 1.36 EnsureImageExists: only a failed pull backs off. */
function imageFailed(
  container: V1Container,
  image: Extract<ImageState, { kind: "failed" }>,
  nowMs: number,
): Waiting {
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

/** Compat: API defaulting: `Always` for `:latest` or no tag. */
function pullPolicy(container: V1Container): PullPolicy {
  const policy = container.imagePullPolicy;
  if (policy === "Always" || policy === "Never") return policy;
  if (policy === "IfNotPresent") return policy;
  const image = container.image ?? "";
  const tag = /:([^/:@]+)$/.exec(image)?.[1] ?? "latest";
  return tag === "latest" && !image.includes("@") ? "Always" : "IfNotPresent";
}

function waiting(blocker: Blocker): Waiting {
  return { kind: "wait", blocker, actions: [] };
}
