/** A server that answers as a test wants it, and a client that asks it. */
import { kubeconfigs, type KubeOptions } from "../../lib/kube/open.ts";
import type { Cluster } from "../../lib/port/cluster.ts";
import { FakeFiles } from "../fakes/fake_host.ts";
import {
  FakeServer,
  kubeconfigFor,
  type Script,
} from "../fakes/fake_cluster_server.ts";
import { kubeOptions } from "./cluster_real.ts";

export const PATH = "/etc/kube.conf";

export interface World {
  readonly server: FakeServer;
  readonly files: FakeFiles;
  readonly cluster: Cluster;
  readonly signal: AbortSignal;
  readonly stop: () => void;
}

export async function withServer(
  script: Script,
  check: (world: World) => Promise<void>,
  own: Partial<KubeOptions> & {
    readonly config?: Parameters<typeof kubeconfigFor>[1];
    readonly life?: Parameters<typeof FakeServer.open>[1];
  } = {},
): Promise<void> {
  const { config, life, ...options } = own;
  const server = await FakeServer.open(script, life);
  const files = new FakeFiles("follow");
  files.put(PATH, kubeconfigFor(server, config));
  const controller = new AbortController();
  const cluster = kubeconfigs(kubeOptions({ files, ...options }))
    .open({ path: PATH });
  const stop = () => controller.abort(new DOMException("Over", "AbortError"));
  try {
    await check({ server, files, cluster, signal: controller.signal, stop });
  } finally {
    stop();
    cluster.close();
    await server.close();
    await pass(30);
  }
}

export function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
