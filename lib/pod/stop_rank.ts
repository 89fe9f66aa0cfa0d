/**
 * The order in which the containers of an ending pod are stopped, as a number:
 * a container is told to stop once those of a smaller rank have ended. Regular
 * and init containers have rank 0, the sidecar that is declared last has 1.
 * Compat: kubelet 1.36 newTerminationOrdering.
 */
import { sidecarsOf } from "../api/pod.ts";
import type { V1Pod } from "../api/types.ts";

export function stopRank(pod: V1Pod, container: string): number {
  const sidecars = sidecarsOf(pod);
  const at = sidecars.findIndex(({ name }) => name === container);
  return at < 0 ? 0 : sidecars.length - at;
}
