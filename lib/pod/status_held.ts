/** The status that a pod came with from the API server, as plain JSON. */
import type { PodStatusJson } from "../api/status.ts";
import type { V1Pod } from "../api/types.ts";
import { unseenStatus } from "./status.ts";

/**
 * What `podStatus` takes as the status before, while the agent has projected
 * none itself. Undefined when the pod carries none.
 */
export function heldStatus(pod: V1Pod): PodStatusJson | undefined {
  if (pod.status?.phase === undefined) return undefined;
  // Types say that times are objects; they are text, so this changes nothing.
  const held: Partial<PodStatusJson> = JSON.parse(
    JSON.stringify(pod.status),
    (_key, value) => value ?? undefined,
  );
  return { ...unseenStatus(pod), ...held };
}
