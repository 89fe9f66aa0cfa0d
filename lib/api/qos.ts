/**
 * Quality-of-service class and the out-of-memory score that follows from it.
 * Compat: kubelet 1.36 ComputePodQOS, GetContainerOOMScoreAdjust.
 */
import { containersOf, initContainersOf, isSidecar } from "./pod.ts";
import { isCritical } from "./priority.ts";
import { parseQuantity, type Quantity, units } from "./quantity.ts";
import type { V1Container, V1Pod } from "./types.ts";

export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";

const COMPUTE = ["cpu", "memory"];
const NODE_CRITICAL = "system-node-critical";
const GUARANTEED_SCORE = -997n;
const BEST_EFFORT_SCORE = 1000n;

/** A positive amount of one resource, or undefined. */
export function amountOf(
  list: Readonly<Record<string, string>> | undefined,
  resource: string,
): Quantity | undefined {
  const text = list?.[resource];
  const parsed = text === undefined ? undefined : parseQuantity(text);
  return parsed !== undefined && parsed > 0n ? parsed : undefined;
}

/** The class of a pod, from the cpu and memory of all its containers. */
export function qosClass(pod: V1Pod): QosClass {
  const containers = [
    ...pod.spec?.containers ?? [],
    ...pod.spec?.initContainers ?? [],
  ];
  const named = containers.flatMap(({ resources }) =>
    COMPUTE.map((resource) => ({
      limit: amountOf(resources?.limits, resource),
      request: amountOf(resources?.requests, resource),
      // A request of nothing is a word of its own, not a missing one.
      isDefaulted: resources?.requests?.[resource] === undefined,
    }))
  );
  if (named.every((n) => n.limit === undefined && n.request === undefined)) {
    return "BestEffort";
  }
  const isGuaranteed = named.every((n) =>
    n.limit !== undefined &&
    (n.request === n.limit || (n.request === undefined && n.isDefaulted))
  );
  return isGuaranteed ? "Guaranteed" : "Burstable";
}

/** oom_score_adj of a container on a node with `memoryBytes` of memory. */
export function oomScoreAdj(
  pod: V1Pod,
  container: V1Container,
  memoryBytes: bigint,
): bigint {
  if (isNodeCritical(pod)) return GUARANTEED_SCORE;
  const qos = qosClass(pod);
  if (qos === "Guaranteed") return GUARANTEED_SCORE;
  if (qos === "BestEffort") return BEST_EFFORT_SCORE;
  const request = protectedMemory(pod, container);
  if (memoryBytes <= 0n) return BEST_EFFORT_SCORE - 1n;
  const score = 1000n - 1000n * units(request) / memoryBytes;
  if (score < 3n) return 3n;
  return score >= BEST_EFFORT_SCORE ? BEST_EFFORT_SCORE - 1n : score;
}

/** A sidecar is killed no sooner than the least of those that it serves. */
function protectedMemory(pod: V1Pod, container: V1Container): Quantity {
  const own = memoryOf(container);
  if (!initContainersOf(pod).includes(container) || !isSidecar(container)) {
    return own;
  }
  const served = containersOf(pod).map(memoryOf);
  const least = served.reduce((a, b) => a < b ? a : b, served[0] ?? own);
  return least > own ? least : own;
}

function memoryOf({ resources }: V1Container): Quantity {
  return amountOf(resources?.requests, "memory") ??
    amountOf(resources?.limits, "memory") ?? 0n;
}

/** Compat: kubelet 1.36 IsNodeCriticalPod. */
function isNodeCritical(pod: V1Pod): boolean {
  return pod.spec?.priorityClassName === NODE_CRITICAL && isCritical(pod);
}
