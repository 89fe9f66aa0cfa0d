/**
 * What a pod as a whole is limited to: the limit of its cgroup, and of what it
 * keeps in memory. Asked by the plans of cgroups and of volumes.
 * Compat: kubelet 1.36 ResourceConfigForPod; gate PodLevelResources (on).
 */
import { amountOf, qosClass } from "./qos.ts";
import type { Quantity } from "./quantity.ts";
import { limitsOf } from "./requests.ts";
import type { V1Pod } from "./types.ts";

/** Undefined: no limit, as one of its containers has none. */
export function podLimit(
  pod: V1Pod,
  resource: "cpu" | "memory",
): Quantity | undefined {
  const qos = qosClass(pod);
  if (qos === "BestEffort") return undefined;
  if (qos === "Burstable" && !isLimited(pod, resource)) return undefined;
  const limit = limitsOf(pod).get(resource) ?? 0n;
  // Overhead widens a limit; alone it is none.
  if (limit <= 0n) return 0n;
  return limit + (amountOf(pod.spec?.overhead, resource) ?? 0n);
}

/** The pod has a limit, or each of its containers has. */
function isLimited({ spec }: V1Pod, resource: string): boolean {
  if (amountOf(spec?.resources?.limits, resource) !== undefined) return true;
  return [...spec?.containers ?? [], ...spec?.initContainers ?? []]
    .every(({ resources }) =>
      amountOf(resources?.limits, resource) !== undefined
    );
}
