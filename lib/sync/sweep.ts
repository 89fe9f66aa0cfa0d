/**
 * Removes what pods left on disk that nobody knows any more: an agent may die
 * between making a pod's directories and its sandbox. Runs with the audit,
 * once every source has reported.
 * Compat: kubelet 1.36 cleanupOrphanedPodDirs, evictPodLogsDirectories.
 */
import { isAbort } from "../base/errors.ts";
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
  readonly signal: AbortSignal;
}

export interface Swept {
  /** Paths. */
  readonly removed: readonly string[];
  /** Of them, pods' own directories, with their volumes. */
  readonly podCount: number;
  /** One for each pod's directory that is still there. */
  readonly failures: readonly unknown[];
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

/** One that cannot be removed holds up no other; rejects on abort. */
export async function sweepFiles(
  files: Files,
  settings: PodSettings,
  { isKnown, release, signal }: Sweep,
): Promise<Swept> {
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
  const removed: string[] = [];
  const failures: unknown[] = [];
  for (const { path, uid } of orphans) {
    try {
      await release(uid);
      await files.removeTree(path);
      removed.push(path);
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      failures.push(error);
    }
  }
  const podCount =
    removed.filter((path) => own.some((each) => each.path === path)).length;
  return { removed, podCount, failures };
}
