/**
 * Which taints of the node a pod puts up with. The rest of a taint's meaning
 * (its effect on pods that are there already) belongs to controllers.
 */
import type { V1Toleration } from "../api/types.ts";

export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
}

/** True when every taint that `effect` selects is tolerated. */
export function toleratesAll(
  tolerations: readonly V1Toleration[],
  taints: readonly Taint[],
  effect: string,
): boolean {
  return taints.filter((taint) => taint.effect === effect).every((taint) =>
    tolerations.some((toleration) => tolerates(toleration, taint))
  );
}

/**
 * An absent effect or key stands for all of them.
 * Compat: kubelet 1.36 ToleratesTaint; gate TaintTolerationComparisonOperators
 * (off): Gt and Lt tolerate nothing.
 */
export function tolerates(toleration: V1Toleration, taint: Taint): boolean {
  const { key = "", effect = "", operator = "", value = "" } = toleration;
  if (effect !== "" && effect !== taint.effect) return false;
  if (key !== "" && key !== taint.key) return false;
  if (operator === "Exists") return true;
  return (operator === "" || operator === "Equal") &&
    value === (taint.value ?? "");
}
