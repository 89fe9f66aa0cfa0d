/**
 * The two agents that are asked the same things in one world: this one, and
 * the real kubelet where its program is there.
 */
import { clusterFacts, kubectl } from "../../deploy/cluster.ts";
import { startMember } from "../../deploy/cluster/agent.ts";
import { startKubelet, stopKubelet } from "../../deploy/cluster/kubelet.ts";
import { findProgram } from "../../deploy/cluster/programs.ts";
import { get } from "../../deploy/cluster/request.ts";
import { stopAgent } from "../../deploy/world.ts";
import type { V1Pod } from "../../lib/api/types.ts";
import { until, world } from "../node/agent_world.ts";

const READY_MS = 180_000;

export const cluster = clusterFacts(world);

export interface Side {
  readonly name: string;
  readonly nodeName: string;
  /** Resolves with its process id when its node is ready. */
  start(): Promise<number>;
  stop(): Promise<void>;
}

export async function sides(): Promise<readonly Side[]> {
  const peerName = `${world.name}-peer`;
  const ours: Side = {
    name: "denolet",
    nodeName: world.name,
    start: () => startMember(world),
    stop: () => stopAgent(world),
  };
  const peer: Side = {
    name: "kubelet",
    nodeName: peerName,
    start: async () => (await startKubelet(world, { nodeName: peerName })).pid,
    stop: () => stopKubelet(world),
  };
  const isThere = await findProgram("kubelet").then(() => true, () => false);
  if (!isThere) console.warn("SKIP: no kubelet to compare with");
  return isThere ? [ours, peer] : [ours];
}

/** Makes them, waits until they run, and leaves none of them behind. */
export async function withPods<T>(
  label: string,
  pods: readonly V1Pod[],
  work: () => Promise<T>,
): Promise<T> {
  const listed = async () => {
    const query = new URLSearchParams({ labelSelector: label });
    const path = `/api/v1/namespaces/default/pods?${query}`;
    return (await get<{ items: readonly V1Pod[] }>(cluster, path)).items;
  };
  try {
    await send("create", pods);
    const isRunning = ({ status }: V1Pod) => status?.phase === "Running";
    await until(
      `${pods.length} running pods`,
      async () => (await listed()).filter(isRunning).length === pods.length,
      READY_MS,
    );
    return await work();
  } finally {
    const one = ["--wait=false", "--grace-period=1"];
    await kubectl(world, ["delete", "pods", "-l", label, ...one]);
    await until("no pods", async () => (await listed()).length === 0, READY_MS);
  }
}

/** Gives the API server all of them at once. */
export async function send(
  verb: "create" | "apply",
  items: readonly object[],
): Promise<void> {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    const list = { apiVersion: "v1", kind: "List", items };
    await Deno.writeTextFile(file, JSON.stringify(list));
    await kubectl(world, [verb, "-f", file]);
  } finally {
    await Deno.remove(file);
  }
}
