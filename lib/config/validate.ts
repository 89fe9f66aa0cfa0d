/**
 * Whether an effective configuration may be used: every field on its own, then
 * the rules between fields. Facts about the host (cgroup version, files that
 * exist) are not asked here.
 */
import type { Features } from "./features.ts";
import { KUBELET_FIELDS, type KubeletConfiguration } from "./schema.ts";
import type { Settings } from "./setting.ts";
import { jsonOf, placeOf, shorten, treeOf } from "./tree.ts";
import { type CrossProblem, crossProblems } from "./validate_cross.ts";

/** One line saying what is wrong and where, or undefined. */
export function validate(
  settings: Settings,
  kubelet: KubeletConfiguration,
  features: Features,
): string | undefined {
  return fieldProblem(settings) ??
    crossProblem(settings, crossProblems(kubelet, features)[0]);
}

function fieldProblem(settings: Settings): string | undefined {
  for (const [path, field] of KUBELET_FIELDS) {
    const own = settings.get(path);
    if (own === undefined || field.isAllowed?.(own.value) !== false) continue;
    const tree = treeOf(field.kind.toJson(own.value), own.origin);
    const value = shorten(JSON.stringify(jsonOf(tree)));
    const name = own.origin.kind === "flag" ? "" : `${path}: `;
    return `${placeOf(own.origin)}${name}value ${value} is not allowed: ` +
      (field.allowed ?? field.kind.allowed);
  }
  return undefined;
}

function crossProblem(
  settings: Settings,
  problem: CrossProblem | undefined,
): string | undefined {
  if (problem === undefined) return undefined;
  const origins = problem.paths.map((path) => settings.get(path)?.origin);
  const origin = origins.find((one) => one && placeOf(one) !== "");
  return (origin === undefined ? "" : placeOf(origin)) +
    `${problem.paths[0]}: ${problem.message}`;
}
