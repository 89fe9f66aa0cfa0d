/** The agent as a node of a world's cluster. It joins by the bootstrap token. */
import { spawnAgent, startAgent, stopAgent } from "../world/agent.ts";
import { until } from "../world/command.ts";
import { pidsWith } from "../world/processes.ts";
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
    "--cluster-domain=cluster.local",
    "--rotate-certificates",
    "--rotate-server-certificates",
    "--enable-server",
    `--address=${cluster.nodeIp}`,
    `--port=${cluster.ports.kubelet}`,
    `--client-ca-file=${cluster.ca.certificate}`,
  ];
}

/** Starts the agent unless it runs, and waits until its node is Ready. */
export async function startMember(
  world: WorldFacts,
  flags: readonly string[] = [],
  programs: readonly string[] = [],
): Promise<number> {
  const cluster = clusterFacts(world);
  const { kubeconfig } = memberFiles(cluster);
  const [member] = await pidsWith(`--kubeconfig=${kubeconfig}`);
  // One that runs without the cluster makes room.
  if (member === undefined) await stopAgent(world);
  const pid = member ??
    await startAgent(world, [...memberFlags(cluster), ...flags], programs);
  await until("a Ready node", () => isNodeReady(cluster, world.name));
  return pid;
}

/** Starts the agent without waiting for anything. */
export async function spawnMember(
  world: WorldFacts,
  flags: readonly string[] = [],
): Promise<number> {
  const cluster = clusterFacts(world);
  return await spawnAgent(world, [...memberFlags(cluster), ...flags]);
}
