/**
 * Which pods the node must not do without. Read by admission, eviction and the
 * out-of-memory score.
 */
import { isStatic } from "./pod.ts";
import type { V1Pod } from "./types.ts";

/** The hash of the static pod that an object of the API server mirrors. */
const CONFIG_MIRROR = "kubernetes.io/config.mirror";
/** Compat: kubelet 1.36 SystemCriticalPriority. */
export const CRITICAL_PRIORITY = 2_000_000_000;

/** Compat: kubelet 1.36 IsCriticalPod. */
export function isCritical(pod: V1Pod): boolean {
  return isStatic(pod) ||
    pod.metadata?.annotations?.[CONFIG_MIRROR] !== undefined ||
    (pod.spec?.priority ?? 0) >= CRITICAL_PRIORITY;
}
