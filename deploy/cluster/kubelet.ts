/**
 * The real kubelet as a node of a world's cluster: the peer that benchmarks
 * compare with, on the same containerd. It joins by the bootstrap token.
 */
import type { WorldFacts } from "../world/facts.ts";
import { pidsWith } from "../world/processes.ts";
import { type ClusterFacts, clusterFacts } from "./facts.ts";
import { kubeletConfig } from "./kubelet_config.ts";
import { rememberMachine, restoreMachine } from "./kubelet_traces.ts";
import {
  type Ending,
  endProgram,
  startProgram,
  untilReady,
} from "./process.ts";
import { findProgram, needPrograms } from "./programs.ts";
import { get } from "./request.ts";

export interface KubeletOptions {
  /** The world's name by default. */
  readonly nodeName?: string;
  /** Fields of KubeletConfiguration that are to be otherwise. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly flags?: readonly string[];
}

export interface Kubelet {
  readonly pid: number;
  readonly nodeName: string;
  readonly log: string;
}

const root = (cluster: ClusterFacts) => `${cluster.root}/kubelet`;
const log = (cluster: ClusterFacts) => `${cluster.root}/kubelet.log`;
const configFile = (cluster: ClusterFacts) => `${cluster.root}/kubelet.json`;
const mark = (cluster: ClusterFacts) => `--config=${configFile(cluster)}`;

/** Starts the kubelet unless it runs, and waits until its node is Ready. */
export async function startKubelet(
  world: WorldFacts,
  options: KubeletOptions = {},
): Promise<Kubelet> {
  const cluster = clusterFacts(world);
  const kubelet = await spawnKubelet(world, options);
  const known = { mark: mark(cluster), log: kubelet.log };
  // Its word first: a node is called Ready for long after a kubelet's end.
  await untilReady(known, kubelet.pid, () => isHealthy(cluster));
  await untilReady(
    known,
    kubelet.pid,
    () => isNodeReady(cluster, kubelet.nodeName),
  );
  return kubelet;
}

/** Starts the kubelet unless it runs, without waiting for anything. */
export async function spawnKubelet(
  world: WorldFacts,
  options: KubeletOptions = {},
): Promise<Kubelet> {
  const cluster = clusterFacts(world);
  const nodeName = options.nodeName ?? world.name;
  await needPrograms("kubelet");
  await rememberMachine(cluster);
  await Deno.mkdir(root(cluster), { recursive: true });
  await Deno.mkdir(`${world.root}/var/log/pods`, { recursive: true });
  await Deno.writeTextFile(
    configFile(cluster),
    JSON.stringify({ ...kubeletConfig(cluster), ...options.config }, null, 2),
  );
  const { kubeconfig, certDir } = kubeletIdentity(cluster);
  const pid = await startProgram({
    path: await findProgram("kubelet"),
    args: [
      mark(cluster),
      `--root-dir=${root(cluster)}`,
      `--cert-dir=${certDir}`,
      `--bootstrap-kubeconfig=${cluster.bootstrapKubeconfig}`,
      `--kubeconfig=${kubeconfig}`,
      `--hostname-override=${nodeName}`,
      // cAdvisor's own way to containers: without it, it knows pods only.
      `--containerd=${world.socket}`,
      `--node-ip=${cluster.nodeIp}`,
      ...(options.flags ?? []),
    ],
    mark: mark(cluster),
    log: log(cluster),
  });
  return { pid, nodeName, log: log(cluster) };
}

/** Where the kubelet keeps what makes it a member. */
export function kubeletIdentity(cluster: ClusterFacts) {
  return {
    kubeconfig: `${root(cluster)}/kubeconfig`,
    certDir: `${root(cluster)}/pki`,
  };
}

/** Its containers go on; its certificate and node are there when it returns. */
export async function stopKubelet(
  world: WorldFacts,
  how: Ending = "terminate",
): Promise<void> {
  const cluster = clusterFacts(world);
  await endProgram(mark(cluster), how);
  await restoreMachine(cluster);
}

export async function kubeletPid(
  world: WorldFacts,
): Promise<number | undefined> {
  return (await pidsWith(mark(clusterFacts(world))))[0];
}

async function isHealthy({ ports }: ClusterFacts): Promise<boolean> {
  try {
    const url = `http://127.0.0.1:${ports.kubeletHealthz}/healthz`;
    const response = await fetch(url);
    await response.body?.cancel();
    return response.ok;
  } catch (error) {
    // Nobody listens there yet.
    if (error instanceof TypeError) return false;
    throw error;
  }
}

interface NodeObject {
  readonly status: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
    }[];
  };
}

/** For any node of the cluster, whoever its agent is. */
export async function isNodeReady(
  cluster: ClusterFacts,
  name: string,
): Promise<boolean> {
  const { items } = await get<{ items: readonly NodeObject[] }>(
    cluster,
    `/api/v1/nodes?fieldSelector=metadata.name=${name}`,
  );
  return items[0]?.status.conditions?.some(({ type, status }) =>
    type === "Ready" && status === "True"
  ) ?? false;
}
