/**
 * What the real kubelet changes on the machine wherever its own folders are:
 * kernel settings, links in /var/log/containers, its folder of device plugins.
 * Remembered before its first start, put back when it stops.
 */
import { readIfThere, run } from "../world/command.ts";
import {
  type KernelValues,
  kernelValues,
  setKernelValues,
} from "../world/kernel_traces.ts";
import type { ClusterFacts } from "./facts.ts";

const FOLDERS = [
  "/var/log/containers",
  "/var/lib/kubelet",
  "/var/lib/kubelet/device-plugins",
];
const LOG_LINKS = "/var/log/containers";

interface Remembered {
  readonly settings: KernelValues;
  /** Folders that were not there. */
  readonly missing: readonly string[];
}

function fileOf(cluster: ClusterFacts): string {
  return `${cluster.root}/machine.json`;
}

export async function rememberMachine(cluster: ClusterFacts): Promise<void> {
  // A second start without a stop would remember the kubelet's own.
  if (await readIfThere(fileOf(cluster)) !== undefined) return;
  const settings = await kernelValues();
  const missing: string[] = [];
  for (const folder of FOLDERS) {
    const found = await Deno.lstat(folder).catch(() => undefined);
    if (found === undefined) missing.push(folder);
  }
  const remembered: Remembered = { settings, missing };
  await Deno.writeTextFile(fileOf(cluster), JSON.stringify(remembered));
}

export async function restoreMachine(cluster: ClusterFacts): Promise<void> {
  const text = await readIfThere(fileOf(cluster));
  if (text === undefined) return;
  const { settings, missing }: Remembered = JSON.parse(text);
  await setKernelValues(settings);
  await removeLogLinks(cluster);
  await removeDevicePluginFiles(missing);
  // Innermost first, and only empty ones: others may have come to use them.
  for (const folder of missing.toReversed()) {
    await run("rmdir", [folder], { failure: "ignore" });
  }
  await Deno.remove(fileOf(cluster));
}

async function removeLogLinks(cluster: ClusterFacts): Promise<void> {
  for (const { name, isSymlink } of await entries(LOG_LINKS)) {
    const path = `${LOG_LINKS}/${name}`;
    if (!isSymlink) continue;
    const target = await Deno.readLink(path);
    if (target.startsWith(`${cluster.world.root}/`)) await Deno.remove(path);
  }
}

/** Only where the kubelet made the folder; elsewhere they may be another's. */
async function removeDevicePluginFiles(
  missing: readonly string[],
): Promise<void> {
  const folder = "/var/lib/kubelet/device-plugins";
  if (!missing.includes(folder)) return;
  for (const { name } of await entries(folder)) {
    await Deno.remove(`${folder}/${name}`);
  }
}

async function entries(folder: string): Promise<Deno.DirEntry[]> {
  try {
    return await Array.fromAsync(Deno.readDir(folder));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
