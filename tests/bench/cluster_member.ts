/**
 * An agent that is the only node of a control plane: denolet, and the real
 * kubelet as its peer. Orders are given as anybody would: to the API server.
 */
import { memberFiles, memberFlags } from "../../deploy/cluster/agent.ts";
import { type ClusterFacts, clusterFacts } from "../../deploy/cluster/facts.ts";
import {
  kubeletIdentity,
  spawnKubelet,
  stopKubelet,
} from "../../deploy/cluster/kubelet.ts";
import { until } from "../../deploy/world/command.ts";
import { spawnPackage } from "../../deploy/world/agent.ts";
import { stopAgent, type WorldFacts } from "../../deploy/world.ts";
import type { V1Pod } from "../../lib/api/types.ts";
import { type Api, openApi } from "./cluster_api.ts";
import { ApiObserver } from "./cluster_observer.ts";
import { OBEDIENT } from "./subject.ts";

/** How one kind of agent is started and ended, and what makes it a member. */
export interface MemberProcess {
  /** Does not wait; resolves with the process id. */
  spawn(world: WorldFacts): Promise<number>;
  stop(world: WorldFacts): Promise<void>;
  identity(
    cluster: ClusterFacts,
  ): { readonly kubeconfig: string; readonly certDir: string };
}

/** What is shipped: `file` is a package. */
export function denolet(file: string): MemberProcess {
  return {
    spawn: (world) =>
      spawnPackage(world, file, memberFlags(clusterFacts(world))),
    stop: (world) => stopAgent(world),
    identity: memberFiles,
  };
}

export const KUBELET: MemberProcess = {
  spawn: async (world) => (await spawnKubelet(world)).pid,
  stop: (world) => stopKubelet(world),
  identity: kubeletIdentity,
};

export class Member {
  readonly name: string;
  readonly cluster: ClusterFacts;
  readonly signal: AbortSignal;
  readonly #process: MemberProcess;
  readonly #api: Api;
  readonly #pods = new ApiObserver();
  readonly #nodes = new ApiObserver();
  #pid: number | undefined;

  constructor(parts: {
    readonly name: string;
    readonly cluster: ClusterFacts;
    readonly process: MemberProcess;
    readonly api: Api;
    readonly signal: AbortSignal;
  }) {
    this.name = parts.name;
    this.cluster = parts.cluster;
    this.signal = parts.signal;
    this.#process = parts.process;
    this.#api = parts.api;
  }

  /** The agent's process. */
  get pid(): number {
    if (this.#pid === undefined) throw new Error(`${this.name} does not run`);
    return this.#pid;
  }

  get nodeName(): string {
    return this.cluster.world.name;
  }

  /** Resolves when the observer looks; `failed` hears when it goes blind. */
  async watch(failed: (error: unknown) => void): Promise<void> {
    const pods = await this.#api.watch("pods", this.signal);
    const nodes = await this.#api.watch("nodes", this.signal);
    this.#pods.run(pods, this.signal).catch(failed);
    this.#nodes.run(nodes, this.signal).catch(failed);
  }

  close(): void {
    this.#api.close();
  }

  version(): Promise<string> {
    return this.#api.version();
  }

  /** From here on it counts; nothing is waited for. */
  async spawn(): Promise<number> {
    this.signal.throwIfAborted();
    this.#pid = await this.#process.spawn(this.cluster.world);
    return performance.now();
  }

  async stop(): Promise<void> {
    this.#pid = undefined;
    await this.#process.stop(this.cluster.world);
  }

  /** Milliseconds from the start of its process to a Ready node. */
  async join(): Promise<number> {
    const ready = this.#nodes.allAre("ready", [this.nodeName], this.signal);
    const [readyAtMs, startMs] = await Promise.all([ready, this.spawn()]);
    return readyAtMs - startMs;
  }

  /** Nothing but the bootstrap token is left of it. */
  async leave(): Promise<void> {
    await this.stop();
    const { kubeconfig, certDir } = this.#process.identity(this.cluster);
    await Deno.remove(kubeconfig);
    await Deno.remove(certDir, { recursive: true });
    await Promise.all([
      this.#nodes.allAre("gone", [this.nodeName], this.signal),
      this.#api.deleteNode(this.nodeName),
    ]);
  }

  /** The control plane takes its time to call a Ready node usable. */
  async untilSchedulable(): Promise<void> {
    await until("a node without taints", async () => {
      this.signal.throwIfAborted();
      const { spec } = await this.#api.node(this.nodeName);
      return (spec.taints ?? []).length === 0;
    });
  }

  /** `by` the benchmark: the pod names its node; milliseconds to all Ready. */
  async start(
    names: readonly string[],
    by: "benchmark" | "scheduler" = "benchmark",
  ): Promise<number> {
    this.signal.throwIfAborted();
    const pods = names.map((name) => this.#pod(name, by));
    const startMs = performance.now();
    const [readyAtMs] = await Promise.all([
      this.#pods.allAre("ready", names, this.signal),
      ...pods.map((pod) => this.#api.createPod(pod)),
    ]);
    return readyAtMs - startMs;
  }

  /** Milliseconds from the order to delete until the last object is gone. */
  async remove(names: readonly string[]): Promise<number> {
    this.signal.throwIfAborted();
    const startMs = performance.now();
    const [goneAtMs] = await Promise.all([
      this.#pods.allAre("gone", names, this.signal),
      ...names.map((name) => this.#api.deletePod(name)),
    ]);
    return goneAtMs - startMs;
  }

  /** An ordinary pod: with the token of its service account. */
  #pod(name: string, by: "benchmark" | "scheduler"): V1Pod {
    return {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name },
      spec: {
        ...(by === "benchmark" ? { nodeName: this.nodeName } : {}),
        terminationGracePeriodSeconds: 30,
        // There is no cluster DNS: nobody is to complain of that.
        dnsPolicy: "Default",
        containers: [{
          name: "app",
          image: this.cluster.world.images.busybox,
          imagePullPolicy: "IfNotPresent",
          command: ["sh", "-c", OBEDIENT],
        }],
      },
    };
  }
}

export async function openMember(
  of: {
    readonly name: string;
    readonly cluster: ClusterFacts;
    readonly process: MemberProcess;
    readonly signal: AbortSignal;
  },
): Promise<Member> {
  return new Member({ ...of, api: await openApi(of.cluster) });
}

export function podNames(count: number): string[] {
  return Array.from(
    { length: count },
    () => `bench-${crypto.randomUUID().slice(0, 8)}`,
  );
}
