/**
 * Which path inside of a volume one mount of a container means. Pure; whether
 * it is there, and that it stays inside, is seen to when the container starts.
 * Compat: kubelet 1.36 makeMounts, ExpandContainerVolumeMounts, its words.
 */
import type { V1VolumeMount } from "../api/types.ts";
import type { EnvPair } from "./env.ts";
import { expandSubPath } from "./env_expand.ts";

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

function refused(message: string): SubPathResult {
  return { kind: "refused", message };
}
