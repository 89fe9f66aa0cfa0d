/**
 * Pull or not, by the pull policy alone. Pure.
 * Compat: kubelet 1.36 images.EnsureImageExists, imagePullPrecheck.
 */
import type { Image } from "../port/images.ts";
import type { PullPolicy } from "./types.ts";

/** What to do about an image, given what the runtime has of it. */
export function pullDecision(
  policy: PullPolicy,
  found: Image | undefined,
): "use" | "pull" | "refuse" {
  if (policy === "Always") return "pull";
  if (found !== undefined) return "use";
  return policy === "Never" ? "refuse" : "pull";
}
