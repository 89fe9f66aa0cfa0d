/**
 * Takes away what is mounted for a pod, so that its directory can be removed:
 * its volumes, the single paths of them that containers got, and whatever
 * privileged containers mounted inside of them. Looks at the machine only:
 * after a restart of the agent nothing else may be known of the pod.
 */
import { AgentError, chainOf } from "../base/errors.ts";
import type { PodUid } from "../api/id.ts";
import type { Mounts } from "../port/host.ts";
import { type LocalPorts, releaseDevices } from "./local.ts";
import type { VolumeSettings } from "./plan.ts";

/** Also devices that were mounted for it and that nobody uses now. */
export async function releaseVolumes(
  ports: LocalPorts,
  { podsDir, pluginsDir }: VolumeSettings,
  uid: PodUid,
): Promise<void> {
  await unmountVolumes(ports, podsDir, uid);
  try {
    await releaseDevices(ports, pluginsDir);
  } catch (error) {
    // Whose pod comes next tries again; this one must not wait for a device.
    const failure = { uid, error: chainOf(error) };
    ports.log.warn("A device stays mounted for now", failure);
  }
}

/** Tries all of them, then rejects with the first failure. */
export async function unmountVolumes(
  { mounts }: { readonly mounts: Pick<Mounts, "unmountBelow"> },
  podsDir: string,
  uid: PodUid,
): Promise<void> {
  // The uid may come from a label in the runtime.
  if (uid === "" || uid === "." || uid === ".." || uid.includes("/")) {
    throw new AgentError(`Cannot release volumes of pod ${uid}: not a name`, {
      next: "give-up",
    });
  }
  await mounts.unmountBelow(`${podsDir}/${uid}`);
}
