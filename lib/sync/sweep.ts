/**
 * Removes what pods left on the machine that nobody knows any more: an agent
 * may die between making a pod's directories and its sandbox. What is not
 * provably a pod's, or cannot be removed, stays and is told of with the
 * reason. Runs with the audit, once every source has reported.
 * Compat: kubelet 1.36 cleanupOrphanedPodDirs, evictPodLogsDirectories,
 * cleanupOrphanedPodCgroups.
 */
import { AgentError, chainOf } from "../base/errors.ts";
import { type PodUid, podUid } from "../api/id.ts";
import type { PodSettings } from "../pod/facts.ts";
import { podCgroupParents, podOfCgroup } from "../pod/paths.ts";
import type { Cgroups } from "../port/cgroups.ts";
import type { DirectoryEntry, Files } from "../port/host.ts";

export interface Sweep {
  /** Somebody wants the pod, or something of it runs. */
  readonly isKnown: (uid: PodUid) => boolean;
  /** Unmounts what is mounted below the pod's directory. */
  readonly release: (uid: PodUid) => Promise<void>;
  /** Ids of containers that have not ended: their logs may be rotated now. */
  readonly running: ReadonlySet<string>;
}

/** What stays, and why. */
export interface Left {
  readonly path: string;
  readonly reason: string;
}

export interface Swept {
  readonly removed: readonly string[];
  readonly left: readonly Left[];
}

/** Of the API server, and of manifests. */
const UID = /^(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32})$/;
/** What a kubelet keeps of a pod. */
const PARTS = new Set([
  "containers",
  "etc-hosts",
  "plugins",
  "userns",
  "volume-subpaths",
  "volumeDevices",
  "volumes",
]);
const LINK = /-([0-9a-f]{64})\.log$/;

export function joinSwept(all: readonly Swept[]): Swept {
  return {
    removed: all.flatMap(({ removed }) => removed),
    left: all.flatMap(({ left }) => left),
  };
}

/** The runtime may still make the cgroup of a pod that is gone. */
export async function sweepCgroups(
  cgroups: Cgroups,
  settings: PodSettings,
  { isKnown }: Pick<Sweep, "isKnown">,
): Promise<Swept> {
  const paths: string[] = [];
  for (const parent of podCgroupParents(settings)) {
    for (const name of await cgroups.childrenOf(parent)) {
      const uid = podOfCgroup(name);
      if (uid === undefined || isKnown(uid)) continue;
      paths.push(`${parent}/${name}`);
    }
  }
  return await removeAll(paths, (path) => cgroups.removePod(path));
}

/** One that cannot be removed holds up no other; rejects on abort. */
export async function sweepFiles(
  files: Files,
  settings: PodSettings,
  sweep: Sweep,
): Promise<Swept> {
  return joinSwept([
    await sweepPods(files, settings, sweep),
    await sweepLogs(files, settings, sweep),
    await sweepLinks(files, settings, sweep),
  ]);
}

async function sweepPods(
  files: Files,
  { podsDir }: PodSettings,
  { isKnown, release }: Sweep,
): Promise<Swept> {
  const orphans = new Map<string, PodUid>();
  const left: Left[] = [];
  for (const entry of await files.list(podsDir) ?? []) {
    const path = `${podsDir}/${entry.name}`;
    const uid = podUid(entry.name);
    if (isKnown(uid)) continue;
    if (await isPods(files, path, entry)) orphans.set(path, uid);
    else {
      const reason = "it is not named as a pod is, nor does it hold its parts";
      left.push({ path, reason });
    }
  }
  const swept = await removeAll([...orphans.keys()], async (path) => {
    await release(orphans.get(path) ?? podUid(""));
    await files.removeTree(path);
  });
  return joinSwept([swept, { removed: [], left }]);
}

/** Whoever mounts a disk there, or keeps notes there, is to find them again. */
async function isPods(
  files: Files,
  path: string,
  { name, kind }: DirectoryEntry,
): Promise<boolean> {
  if (kind !== "directory") return false;
  if (UID.test(name)) return true;
  const parts = await files.list(path) ?? [];
  return parts.length > 0 && parts.every((part) => PARTS.has(part.name));
}

async function sweepLogs(
  files: Files,
  { podLogsDir }: PodSettings,
  { isKnown }: Sweep,
): Promise<Swept> {
  // <namespace>_<name>_<uid>; none of the three holds an underscore.
  const orphans = (await files.list(podLogsDir) ?? []).filter(({ name }) => {
    const [, , uid] = name.split("_");
    return uid !== undefined && !isKnown(podUid(uid));
  });
  return await removeAll(
    orphans.map(({ name }) => `${podLogsDir}/${name}`),
    (path) => files.removeTree(path),
  );
}

/** Links to logs of ours that are not there any more. */
async function sweepLinks(
  files: Files,
  { containerLogsDir, podLogsDir }: PodSettings,
  { running }: Sweep,
): Promise<Swept> {
  const dangling: string[] = [];
  for (const { name, kind } of await files.list(containerLogsDir) ?? []) {
    const id = LINK.exec(name)?.[1];
    if (kind !== "symlink" || id === undefined || running.has(id)) continue;
    const path = `${containerLogsDir}/${name}`;
    const target = await files.readLink(path);
    const isOurs = target?.startsWith(`${podLogsDir}/`) ?? false;
    if (target === undefined || !isOurs) continue;
    if (await files.stat(target) === undefined) dangling.push(path);
  }
  return await removeAll(dangling, (path) => files.remove(path));
}

/** One that stays holds up no other. */
async function removeAll(
  paths: readonly string[],
  remove: (path: string) => Promise<void>,
): Promise<Swept> {
  const removed: string[] = [];
  const left: Left[] = [];
  for (const path of paths) {
    try {
      await remove(path);
      removed.push(path);
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      left.push({ path, reason: chainOf(error) });
    }
  }
  return { removed, left };
}
