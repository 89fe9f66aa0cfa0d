/** Cgroups that somebody has to make before an agent or kubelet starts. */
import { readIfThere } from "./command.ts";

const MOUNT = "/sys/fs/cgroup";

/** The one tree of version 2, or one for each controller. */
export async function cgroupTrees(): Promise<readonly string[]> {
  const controllers = await readIfThere(`${MOUNT}/cgroup.controllers`);
  if (controllers !== undefined) return [MOUNT];
  const entries = await Array.fromAsync(Deno.readDir(MOUNT));
  return entries.filter(({ isDirectory }) => isDirectory)
    .map(({ name }) => `${MOUNT}/${name}`);
}

/** Makes one in every tree, with its parents; one that is there stays. */
export async function makeCgroup(path: string): Promise<void> {
  for (const tree of await cgroupTrees()) {
    await Deno.mkdir(tree + path, { recursive: true });
  }
}
