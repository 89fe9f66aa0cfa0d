/**
 * Are the pod's volumes ready, and are they to be asked for? The volume runner
 * makes them beside the sandbox; nothing here waits.
 */
import type { V1Pod } from "../api/types.ts";
import type { Action, Blocker } from "./action.ts";
import type { MountedVolume } from "../volume/types.ts";
import type { Facts } from "./facts.ts";

const NONE: ReadonlyMap<string, MountedVolume> = new Map();

/** By the volume's name; undefined while some are not ready. */
export function readyVolumes(
  { volumes }: Facts,
  pod: V1Pod,
): ReadonlyMap<string, MountedVolume> | undefined {
  if (!hasVolumes(pod)) return NONE;
  if (volumes?.kind !== "ready") return undefined;
  return volumes.mounted;
}

/** Also for a pod that runs: tokens are renewed as long as it does. */
export function askForVolumes(
  { volumes }: Facts,
  pod: V1Pod,
  nowMs: number,
): Action[] {
  if (!hasVolumes(pod)) return [];
  const isDue = volumes === undefined ||
    (volumes.kind === "failed" && volumes.retryAtMs <= nowMs);
  return isDue ? [{ kind: "ensure-volumes", pod }] : [];
}

/** Of a pod that has ended; its files go when it does. */
export function releaseVolumes(facts: Facts): Action[] {
  const { volumes, pod } = facts;
  const isHeld = volumes !== undefined ||
    (pod !== undefined && hasVolumes(pod) && facts.state.kind !== "done");
  return isHeld ? [{ kind: "release-volumes" }] : [];
}

export function volumeBlocker({ volumes }: Facts): Blocker {
  if (volumes?.kind !== "failed") {
    return { what: "volumes", message: "The pod's volumes are made ready" };
  }
  const { message, count, retryAtMs } = volumes;
  return { what: "volumes", message, count, untilMs: retryAtMs };
}

function hasVolumes(pod: V1Pod): boolean {
  return (pod.spec?.volumes ?? []).length > 0;
}
