/**
 * How soon the kernel ends a container's processes when memory is out, from
 * its pod's class and what it asked for. Read when containers are made.
 * Compat: kubelet 1.36 GetContainerOOMScoreAdjust; gate PodLevelResources (on).
 */
import { isCritical } from "./priority.ts";
import { amountOf, qosClass } from "./qos.ts";
import { units } from "./quantity.ts";
import { containerRequestsOf } from "./requests.ts";
import type { V1Container, V1Pod } from "./types.ts";

const NODE_CRITICAL = "system-node-critical";
const GUARANTEED_SCORE = -997n;
const BEST_EFFORT_SCORE = 1000n;
const LEAST_SCORE = 3n;

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
  if (memoryBytes <= 0n) return BEST_EFFORT_SCORE - 1n;
  const extra = shareOfPod(pod);
  const scoreOf = (bytes: bigint) =>
    BEST_EFFORT_SCORE - 1000n * (bytes + extra) / memoryBytes;
  const own = scoreOf(requestOf(container));
  // A sidecar goes no sooner than what it serves.
  const score = isSidecar(pod, container)
    ? least([own, scoreOf(least((pod.spec?.containers ?? []).map(requestOf)))])
    : own;
  if (score < LEAST_SCORE) return LEAST_SCORE;
  return score >= BEST_EFFORT_SCORE ? BEST_EFFORT_SCORE - 1n : score;
}

/** The part of the pod's own request that no container has, for each. */
function shareOfPod(pod: V1Pod): bigint {
  const whole = amountOf(pod.spec?.resources?.requests, "memory");
  if (whole === undefined) return 0n;
  const held = units(containerRequestsOf(pod).get("memory") ?? 0n);
  const count = (pod.spec?.containers ?? []).length +
    (pod.spec?.initContainers ?? []).length;
  return count === 0 ? 0n : (units(whole) - held) / BigInt(count);
}

/** A request that only a limit implies was filled in by the API server. */
function requestOf({ resources }: V1Container): bigint {
  const isSaid = resources?.requests?.["memory"] !== undefined;
  const amount = amountOf(resources?.requests, "memory") ??
    (isSaid ? undefined : amountOf(resources?.limits, "memory"));
  return amount === undefined ? 0n : units(amount);
}

function least(amounts: readonly bigint[]): bigint {
  return amounts.reduce((a, b) => (b < a ? b : a), amounts[0] ?? 0n);
}

function isSidecar(pod: V1Pod, { name, restartPolicy }: V1Container): boolean {
  return restartPolicy === "Always" &&
    (pod.spec?.initContainers ?? []).some((each) => each.name === name);
}

/** Compat: kubelet 1.36 IsNodeCriticalPod. */
function isNodeCritical(pod: V1Pod): boolean {
  return pod.spec?.priorityClassName === NODE_CRITICAL && isCritical(pod);
}
