/** When a container's image is pulled. Read where its image is asked for. */
import type { V1Container } from "../api/types.ts";
import type { PullPolicy } from "../image/types.ts";

/** Compat: API defaulting: `Always` for `:latest` or no tag. */
export function pullPolicy(container: V1Container): PullPolicy {
  const policy = container.imagePullPolicy;
  if (policy === "Always" || policy === "Never") return policy;
  if (policy === "IfNotPresent") return policy;
  const image = container.image ?? "";
  const tag = /:([^/:@]+)$/.exec(image)?.[1] ?? "latest";
  return tag === "latest" && !image.includes("@") ? "Always" : "IfNotPresent";
}
