/**
 * Pull or not, and how an image's name is completed. Pure.
 * Compat: kubelet 1.36 images.EnsureImageExists, applyDefaultImageTag.
 */
import type { Image } from "../port/images.ts";
import type { PullPolicy } from "./types.ts";

const PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const HOST =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*(?::\d+)?$|^\[[0-9a-fA-F:]+\](?::\d+)?$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST =
  /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
const LONGEST_NAME = 255;

/** What to do about an image, given what the runtime has of it. */
export function pullDecision(
  policy: PullPolicy,
  found: Image | undefined,
): "use" | "pull" | "refuse" {
  if (policy === "Always") return "pull";
  if (found !== undefined) return "use";
  return policy === "Never" ? "refuse" : "pull";
}

/**
 * The image's name with `:latest` where it has neither tag nor digest, or
 * undefined when it is not a name.
 */
export function withTag(image: string): string | undefined {
  const [named = "", digest, ...rest] = image.split("@");
  if (rest.length > 0) return undefined;
  if (digest !== undefined && !DIGEST.test(digest)) return undefined;
  const slash = named.lastIndexOf("/");
  const colon = named.indexOf(":", slash + 1);
  const tag = colon < 0 ? undefined : named.slice(colon + 1);
  if (tag !== undefined && !TAG.test(tag)) return undefined;
  const path = colon < 0 ? named : named.slice(0, colon);
  if (!isRepository(path)) return undefined;
  return tag === undefined && digest === undefined ? `${image}:latest` : image;
}

function isRepository(path: string): boolean {
  if (path === "" || path.length > LONGEST_NAME) return false;
  const parts = path.split("/");
  const [first = ""] = parts;
  const hasHost = parts.length > 1 &&
    (/[.:]/.test(first) || first === "localhost" ||
      first !== first.toLowerCase());
  if (hasHost && !HOST.test(first)) return false;
  return parts.slice(hasHost ? 1 : 0).every((part) => PATH.test(part));
}
