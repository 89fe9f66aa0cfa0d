/** A pod's status as the API server holds it, for who projects the next one. */
import type { PodStatusJson } from "../api/status.ts";
import type { V1Pod } from "../api/types.ts";

/** Undefined while nobody has said anything of the pod. */
export function storedStatus({ status }: V1Pod): PodStatusJson | undefined {
  return isStatus(status) ? status : undefined;
}

/**
 * The server has checked it against its own schema. The scheduler writes a
 * condition first, and the server a phase; our own first word has a start.
 */
function isStatus(status: unknown): status is PodStatusJson {
  return typeof status === "object" && status !== null && "phase" in status;
}
