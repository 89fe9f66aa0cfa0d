/**
 * A pod that has to go because the machine goes down: what that means for its
 * stop. Read by `stop.ts`.
 */
import type { ShutdownOrder } from "../shutdown/types.ts";
import type { StopOrder } from "./state.ts";

/** Undefined: the machine stays up, or it is not this pod's turn yet. */
export type ShutDown = ShutdownOrder | undefined;

/** Compat: kubelet 1.36 nodeShutdownReason, nodeShutdownMessage. */
const FAILED = {
  reason: "Terminated",
  message: "Pod was terminated in response to imminent node shutdown.",
};

/** It has failed by it, however its containers end. Compat: killPods. */
export function shutdownOrder({ graceSeconds }: ShutdownOrder): StopOrder {
  return {
    kind: "shutdown",
    graceSeconds,
    message: "The machine goes down",
    failed: FAILED,
    disruption: FAILED,
  };
}
