/**
 * A pod that has to go because the node is short of something, or because it
 * took more than it may: what that means for its stop. Read by `stop.ts`.
 */
import type { EvictionOrder } from "../eviction/types.ts";
import type { StopOrder } from "./state.ts";

/** Undefined: nobody wants it to go. */
export type Evicted = EvictionOrder | undefined;

/**
 * The pod has failed by it, however its containers end.
 * Compat: kubelet 1.36 evictPod: a pod's own limit is no disruption.
 */
export function evictionOrder(
  { graceSeconds, message, isNodeShort }: EvictionOrder,
): StopOrder {
  const failed = { reason: "Evicted", message };
  return {
    kind: "evicted",
    graceSeconds,
    message: `Evicted: ${message.trimEnd()}`,
    failed,
    ...isNodeShort ? { disruption: failed } : {},
  };
}

/**
 * Its logs and layers are a part of what was too much.
 * Compat: kubelet 1.36 deleteContainersInPod removes them of every evicted pod;
 * those of one that went for memory or processes stay here, to be read.
 */
export function freesDisk(evicted: Evicted): boolean {
  return evicted !== undefined && /fs\./.test(evicted.signal);
}
