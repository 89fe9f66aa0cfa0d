/**
 * Which path inside of a volume one mount of a container means. Pure; whether
 * it is there, and that it stays inside, is seen to when the container starts.
 * Compat: kubelet 1.36 makeMounts, ExpandContainerVolumeMounts, its words.
 */
import type { V1VolumeMount } from "../api/types.ts";
import { type EnvPair, expand } from "./env.ts";

export type SubPathResult =
  /** Empty: the whole volume. */
  | { readonly kind: "ok"; readonly path: string }
  | { readonly kind: "refused"; readonly message: string };

export function subPathOf(
  { subPath = "", subPathExpr = "" }: V1VolumeMount,
  env: readonly EnvPair[],
): SubPathResult {
  const written = subPathExpr === ""
    ? { kind: "ok", path: subPath } as const
    : expandSubPath(subPathExpr, env);
  if (written.kind === "refused") return written;
  const { path } = written;
  if (path.startsWith("/")) {
    return refused(`error SubPath \`${path}\` must not be an absolute path`);
  }
  if (path.split("/").includes("..")) {
    return refused(
      `unable to provision SubPath \`${path}\`: must not contain '..'`,
    );
  }
  if (path.includes("\0")) return refused(`SubPath of ${path} has a NUL`);
  return { kind: "ok", path };
}

/** Every variable must be there and hold something. */
function expandSubPath(text: string, env: readonly EnvPair[]): SubPathResult {
  const known = new Map(env.map(({ name, value }) => [name, value]));
  const missing = new Set<string>();
  for (const [, name] of text.matchAll(/\$(?:\$|\(([^)]*)\))/g)) {
    if (name !== undefined && (known.get(name) ?? "") === "") missing.add(name);
  }
  return missing.size === 0
    ? { kind: "ok", path: expand(text, known) }
    : refused(`missing value for ${[...missing].sort().join(", ")}`);
}

function refused(message: string): SubPathResult {
  return { kind: "refused", message };
}
