/**
 * Takes away what is mounted for a pod's volumes, so that its directory can be
 * removed. Looks at the directory only: after a restart of the agent nothing
 * else may be known of the pod.
 */
import { AgentError } from "../base/errors.ts";
import type { PodUid } from "../api/id.ts";
import type { Files, Mounts } from "../port/host.ts";
import { volumesDirectory } from "./plan.ts";

/** Tries all of them, then rejects with the first failure. */
export async function unmountVolumes(
  { files, mounts }: { readonly files: Files; readonly mounts: Mounts },
  podsDir: string,
  uid: PodUid,
): Promise<void> {
  // The uid may come from a label in the runtime.
  if (uid === "" || uid === "." || uid.includes("/")) {
    throw new AgentError(`Cannot release volumes of pod ${uid}: not a name`, {
      next: "give-up",
    });
  }
  const root = volumesDirectory(podsDir, uid);
  const failures: unknown[] = [];
  for (const kind of await directoriesIn(files, root)) {
    for (const path of await directoriesIn(files, kind)) {
      try {
        await mounts.unmount(path);
      } catch (error) {
        failures.push(error);
      }
    }
  }
  if (failures.length > 0) throw failures[0];
}

async function directoriesIn(files: Files, path: string): Promise<string[]> {
  return (await files.list(path) ?? [])
    .filter(({ kind }) => kind === "directory")
    .map(({ name }) => `${path}/${name}`);
}
