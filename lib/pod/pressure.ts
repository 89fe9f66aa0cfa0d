/**
 * Is the node too short of something for this pod? Asked first of all, before
 * the pod is let in. Compat: kubelet 1.36 eviction managerImpl.Admit.
 */
import { isCritical } from "../api/priority.ts";
import { qosClass } from "../api/qos.ts";
import type { V1Pod } from "../api/types.ts";
import type { PressureKind } from "../eviction/types.ts";
import type { Refusal } from "./admit.ts";
import { tolerates } from "./taints.ts";

/** What the node is short of. */
export type Pressures = readonly PressureKind[];

const MEMORY_TAINT = {
  key: "node.kubernetes.io/memory-pressure",
  effect: "NoSchedule",
};

export function refuseUnderPressure(
  pod: V1Pod,
  pressures: Pressures,
): Refusal | undefined {
  if (pressures.length === 0 || isCritical(pod)) return undefined;
  if (pressures.every((kind) => kind === "MemoryPressure")) {
    // Whoever asked for memory was promised it.
    if (qosClass(pod) !== "BestEffort") return undefined;
    const { tolerations = [] } = pod.spec ?? {};
    if (tolerations.some((each) => tolerates(each, MEMORY_TAINT))) {
      return undefined;
    }
  }
  return {
    reason: "Evicted",
    message: `The node had condition: [${pressures.join(" ")}]. `,
  };
}
