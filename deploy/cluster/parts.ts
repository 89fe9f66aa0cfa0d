/** Starts, stops, freezes the parts of a control plane, each by itself. */
import { readIfThere } from "../world/command.ts";
import type { WorldFacts } from "../world/facts.ts";
import { pidsWith, signal } from "../world/processes.ts";
import {
  type ClusterFacts,
  clusterFacts,
  type ClusterOptions,
  DEFAULT_OPTIONS,
  logOf,
  type Part,
  PARTS,
} from "./facts.ts";
import { flagsOf, markOf } from "./flags.ts";
import {
  type Ending,
  endProgram,
  startProgram,
  untilReady,
} from "./process.ts";
import { findProgram } from "./programs.ts";
import { isThere } from "./request.ts";

/** Starts one part unless it runs; does not wait for it to be ready. */
export async function spawnPart(
  cluster: ClusterFacts,
  part: Part,
): Promise<number> {
  return await startProgram({
    path: await findProgram(part),
    args: flagsOf(part, cluster, await readOptions(cluster)),
    mark: markOf(part, cluster),
    log: logOf(cluster, part),
  });
}

/** What clusterUp() was told, so that a part starts again as it was. */
export async function readOptions(
  cluster: ClusterFacts,
): Promise<ClusterOptions> {
  const text = await readIfThere(cluster.options);
  return text === undefined ? DEFAULT_OPTIONS : JSON.parse(text);
}

export async function startPart(
  world: WorldFacts,
  part: Part,
): Promise<number> {
  const cluster = clusterFacts(world);
  const pid = await spawnPart(cluster, part);
  const known = { mark: markOf(part, cluster), log: logOf(cluster, part) };
  await untilReady(known, pid, () => isReady(cluster, part));
  return pid;
}

/** The API server says so itself; of the rest, an open port will do. */
async function isReady(cluster: ClusterFacts, part: Part): Promise<boolean> {
  const { ports } = cluster;
  switch (part) {
    case "kube-apiserver":
      return await isThere(cluster, "/readyz");
    case "etcd":
      return await isListening(ports.etcd);
    case "kube-controller-manager":
      return await isListening(ports.controllerManager);
    case "kube-scheduler":
      return await isListening(ports.scheduler);
  }
}

async function isListening(port: number): Promise<boolean> {
  try {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    connection.close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}

export async function stopPart(
  world: WorldFacts,
  part: Part,
  how: Ending = "terminate",
): Promise<void> {
  await endProgram(markOf(part, clusterFacts(world)), how);
}

/** Stopped in the middle of everything: connections stay open, and silent. */
export async function freezePart(
  world: WorldFacts,
  part: Part,
): Promise<void> {
  await signalPart(world, part, "SIGSTOP");
}

export async function thawPart(world: WorldFacts, part: Part): Promise<void> {
  await signalPart(world, part, "SIGCONT");
}

async function signalPart(
  world: WorldFacts,
  part: Part,
  name: Deno.Signal,
): Promise<void> {
  const pids = await pidsWith(markOf(part, clusterFacts(world)));
  for (const pid of pids) signal(pid, name);
}

export function startApiServer(world: WorldFacts): Promise<number> {
  return startPart(world, "kube-apiserver");
}

export function stopApiServer(
  world: WorldFacts,
  how: Ending = "terminate",
): Promise<void> {
  return stopPart(world, "kube-apiserver", how);
}

/** The pid of every part that runs. */
export async function clusterPids(
  world: WorldFacts,
): Promise<Partial<Record<Part, number>>> {
  const cluster = clusterFacts(world);
  const pids: Partial<Record<Part, number>> = {};
  for (const part of PARTS) {
    const [pid] = await pidsWith(markOf(part, cluster));
    if (pid !== undefined) pids[part] = pid;
  }
  return pids;
}
