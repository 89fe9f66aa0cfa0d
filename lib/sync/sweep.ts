/**
 * Removes what pods left on disk that nobody knows any more: an agent may die
 * between making a pod's directories and its sandbox. Runs with the audit,
 * once every source has reported.
 * Compat: kubelet 1.36 cleanupOrphanedPodDirs, evictPodLogsDirectories.
 */
import { type PodUid, podUid } from "../api/id.ts";
import type { PodSettings } from "../pod/facts.ts";
import { podCgroupParents, podOfCgroup } from "../pod/paths.ts";
import type { Cgroups } from "../port/cgroups.ts";
import type { Files } from "../port/host.ts";

export interface Sweep {
  /** Somebody wants the pod, or something of it runs. */
  readonly isKnown: (uid: PodUid) => boolean;
  /** Unmounts what is mounted below the pod's directory. */
  readonly release: (uid: PodUid) => Promise<void>;
}

/**
 * The runtime may still make the cgroup of a pod when its caller has died and
 * the pod is gone. Compat: kubelet 1.36 cleanupOrphanedPodCgroups.
 */
export async function sweepCgroups(
  cgroups: Cgroups,
  settings: PodSettings,
  { isKnown }: Pick<Sweep, "isKnown">,
): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const parent of podCgroupParents(settings)) {
    for (const name of await cgroups.childrenOf(parent)) {
      const uid = podOfCgroup(name);
      if (uid === undefined || isKnown(uid)) continue;
      const path = `${parent}/${name}`;
      await cgroups.removePod(path);
      removed.push(path);
    }
  }
  return removed;
}

export async function sweepFiles(
  files: Files,
  settings: PodSettings,
  { isKnown, release }: Sweep,
): Promise<readonly string[]> {
  const { podsDir, podLogsDir } = settings;
  const own = (await files.list(podsDir) ?? [])
    .map(({ name }) => ({ path: `${podsDir}/${name}`, uid: podUid(name) }));
  // <namespace>_<name>_<uid>; none of the three holds an underscore.
  const logs = (await files.list(podLogsDir) ?? []).flatMap(({ name }) => {
    const [, , uid] = name.split("_");
    return uid === undefined
      ? []
      : [{ path: `${podLogsDir}/${name}`, uid: podUid(uid) }];
  });
  const orphans = [...own, ...logs].filter(({ uid }) => !isKnown(uid));
  for (const { path, uid } of orphans) {
    await release(uid);
    await files.removeTree(path);
  }
  return orphans.map(({ path }) => path);
}
