/**
 * Finds the persistent volume behind a claim. Asks the API server each time:
 * a claim is looked at once per start of a pod, and what it says must be true
 * then. Called by set_up.ts.
 */
import { AgentError, isAbort } from "../base/errors.ts";
import { namespaceOf } from "../api/pod.ts";
import type {
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1Pod,
} from "../api/types.ts";
import type { ClusterObjects } from "../port/cluster.ts";
import { stepFailure, unknownVolume } from "./failure.ts";
import {
  boundFault,
  claimFault,
  groupOf,
  modeFault,
  optionsFault,
  planPersistent,
} from "./persistent.ts";
import { groundOf, type VolumeSettings } from "./plan.ts";
import type { ClaimVolume, StorageVolume } from "./plan_storage.ts";

/** Whose volume it is. */
export interface ClaimFor {
  readonly pod: V1Pod;
  readonly settings: VolumeSettings;
  readonly signal: AbortSignal;
}

export interface Claimed {
  readonly planned: StorageVolume;
  readonly persistent: V1PersistentVolume;
  /** The group that may use it; empty: not said. */
  readonly group: string;
}

/** Rejects with a `StepFailure` that says all. */
export async function resolveClaim(
  objects: ClusterObjects | undefined,
  claim: ClaimVolume,
  at: ClaimFor,
): Promise<Claimed> {
  const { pod, settings, signal } = at;
  let volume: V1PersistentVolume;
  try {
    volume = await volumeBehind(objects, claim, at);
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    throw unknownVolume(claim.name, error);
  }
  const name = volume.metadata?.name ?? "";
  const terms = volume.spec?.nodeAffinity?.required?.nodeSelectorTerms;
  const step = volume.spec?.volumeMode === "Block"
    ? "MapVolume"
    : "MountVolume";
  if (terms !== undefined && settings.fits?.(terms) === false) {
    const fault = refusal("no matching NodeSelectorTerms");
    throw stepFailure(`${step}.NodeAffinity check failed`, name, fault);
  }
  const fault = optionsFault(volume);
  if (fault !== undefined) {
    const step = "MountVolume.MountOptionSupport check failed";
    throw stepFailure(step, name, refusal(fault));
  }
  return {
    planned: planPersistent(groundOf(pod, settings), claim, volume),
    persistent: volume,
    group: groupOf(volume),
  };
}

async function volumeBehind(
  objects: ClusterObjects | undefined,
  volume: ClaimVolume,
  { pod, signal }: ClaimFor,
): Promise<V1PersistentVolume> {
  const name = `${namespaceOf(pod)}/${volume.claim}`;
  if (objects === undefined) {
    throw refusal(`error processing PVC ${name}: this agent has no API server`);
  }
  try {
    const claim = await claimOf(objects, volume, { pod, signal });
    const found = await boundVolume(objects, claim, signal);
    const fault = modeFault(volume, found);
    if (fault !== undefined) throw refusal(fault);
    return found;
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    throw new AgentError(`error processing PVC ${name}`, {
      next: "retry",
      cause: error,
    });
  }
}

async function claimOf(
  objects: ClusterObjects,
  volume: ClaimVolume,
  { pod, signal }: Pick<ClaimFor, "pod" | "signal">,
): Promise<V1PersistentVolumeClaim> {
  const ref = { namespace: namespaceOf(pod), name: volume.claim };
  const claim = await objects.claim(ref, signal);
  if (claim === undefined) {
    throw refusal(
      "failed to fetch PVC from API server: persistentvolumeclaims " +
        `"${volume.claim}" not found`,
    );
  }
  const fault = claimFault(pod, volume, claim);
  if (fault !== undefined) throw refusal(fault);
  return claim;
}

async function boundVolume(
  objects: ClusterObjects,
  claim: V1PersistentVolumeClaim,
  signal: AbortSignal,
): Promise<V1PersistentVolume> {
  const name = claim.spec?.volumeName ?? "";
  const volume = await objects.persistentVolume(name, signal);
  if (volume === undefined) {
    throw refusal(
      `failed to fetch PV ${name} from API server: persistentvolumes ` +
        `"${name}" not found`,
    );
  }
  const fault = boundFault(volume, claim);
  if (fault !== undefined) throw refusal(fault);
  return volume;
}

function refusal(message: string): AgentError {
  return new AgentError(message, { next: "retry" });
}
