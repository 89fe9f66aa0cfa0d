/** The agent as a node of a world's cluster. It joins by the bootstrap token. */
import { agentPids, spawnAgent, startAgent } from "../world/agent.ts";
import { until } from "../world/command.ts";
import { type ClusterFacts, clusterFacts } from "./facts.ts";
import type { WorldFacts } from "../world/facts.ts";
import { isNodeReady } from "./kubelet.ts";

/** Where the agent keeps what makes it a member. */
export function memberFiles({ world, root }: ClusterFacts) {
  return {
    kubeconfig: `${root}/agent/kubelet.conf`,
    certDir: `${world.root}/var/lib/kubelet/pki`,
  };
}

/** Flags that make the agent of a world a node of its cluster. */
export function memberFlags(cluster: ClusterFacts): string[] {
  const { kubeconfig, certDir } = memberFiles(cluster);
  return [
    `--bootstrap-kubeconfig=${cluster.bootstrapKubeconfig}`,
    `--kubeconfig=${kubeconfig}`,
    `--cert-dir=${certDir}`,
    `--node-ip=${cluster.nodeIp}`,
    "--rotate-certificates",
  ];
}

/** Starts the agent unless it runs, and waits until its node is Ready. */
export async function startMember(
  world: WorldFacts,
  flags: readonly string[] = [],
): Promise<number> {
  const cluster = clusterFacts(world);
  const [running] = await agentPids(world);
  const pid = running ??
    await startAgent(world, [...memberFlags(cluster), ...flags]);
  await until("a Ready node", () => isNodeReady(cluster, world.name));
  return pid;
}

export async function spawnMember(
  world: WorldFacts,
  flags: readonly string[] = [],
): Promise<number> {
  const cluster = clusterFacts(world);
  return await spawnAgent(world, [...memberFlags(cluster), ...flags]);
}
