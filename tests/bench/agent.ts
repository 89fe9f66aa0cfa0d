/**
 * A node agent that runs pods from a folder: denolet, and the real kubelet as
 * its peer. Orders are given as anybody would: a manifest is renamed into the
 * folder, or removed from it.
 */
import { isHealthy, spawnAgent, stopAgent } from "../../deploy/world/agent.ts";
import { until } from "../../deploy/world/command.ts";
import type { WorldFacts } from "../../deploy/world.ts";
import type { Observer } from "./observer.ts";
import {
  type AgentProcess,
  type BenchPod,
  benchPods,
  pause,
  type Subject,
  timeStop,
  uidsOf,
} from "./subject.ts";

export class AgentSubject implements Subject {
  readonly name: string;
  readonly removes: Subject["removes"];
  readonly observer: Observer;
  readonly #world: WorldFacts;
  readonly #process: AgentProcess;
  pid: number | undefined;

  constructor(parts: {
    readonly name: string;
    readonly world: WorldFacts;
    readonly process: AgentProcess;
    readonly removes: Subject["removes"];
    readonly observer: Observer;
  }) {
    this.name = parts.name;
    this.removes = parts.removes;
    this.observer = parts.observer;
    this.#world = parts.world;
    this.#process = parts.process;
  }

  async open(): Promise<void> {
    this.pid = await this.#process.spawn();
    await until(`${this.name} healthy`, () => this.#process.isHealthy());
  }

  async close(): Promise<void> {
    await this.#process.stop();
    this.pid = undefined;
  }

  /** Beside the folder, on the same file system, so that rename will do. */
  #draft(pod: BenchPod): string {
    return `${this.#world.root}/draft-${pod.name}.yaml`;
  }

  #file(pod: BenchPod): string {
    return `${this.#world.manifests}/${pod.name}.yaml`;
  }

  async prepare(pods: readonly BenchPod[]): Promise<void> {
    for (const pod of pods) {
      // JSON is YAML.
      await Deno.writeTextFile(this.#draft(pod), JSON.stringify(pod.manifest));
    }
  }

  async start(pods: readonly BenchPod[]): Promise<void> {
    for (const pod of pods) {
      await Deno.rename(this.#draft(pod), this.#file(pod));
    }
  }

  async stop(pods: readonly BenchPod[]): Promise<void> {
    for (const pod of pods) await Deno.remove(this.#file(pod));
  }

  /**
   * From the start of the process: until it calls itself healthy, and until
   * a pod that was waiting in the folder runs.
   */
  async coldStart(
    image: string,
  ): Promise<{ readonly healthyMs: number; readonly podMs: number }> {
    await this.close();
    const pods = benchPods(1, image);
    await this.prepare(pods);
    await this.start(pods);
    const startMs = performance.now();
    this.pid = await this.#process.spawn();
    const healthy = until("health", () => this.#process.isHealthy())
      .then(() => performance.now());
    const [healthyAtMs, runningAtMs] = await Promise.all([
      healthy,
      this.observer.allAre("running", uidsOf(pods)),
    ]);
    await pause(1_000);
    await timeStop(this, pods);
    return {
      healthyMs: healthyAtMs - startMs,
      podMs: runningAtMs - startMs,
    };
  }
}

export function denoletProcess(world: WorldFacts): AgentProcess {
  return {
    spawn: () => spawnAgent(world),
    stop: () => stopAgent(world),
    isHealthy: () => isHealthy(world),
  };
}
