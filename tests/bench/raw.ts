/**
 * The floor: the CRI calls that a pod takes and nothing else, with the very
 * requests the agent would make. Files that the requests name are made before
 * the clock starts.
 */
import type { ContainerId, SandboxId } from "../../lib/api/id.ts";
import { containerSpec } from "../../lib/pod/container_spec.ts";
import { someFacts, TRAITS } from "../build.ts";
import type { PodSettings } from "../../lib/pod/facts.ts";
import { OPEN_GATES } from "../../lib/pod/gates.ts";
import { sandboxSpec } from "../../lib/pod/sandbox_spec.ts";
import type { ContainerRuntime } from "../../lib/port/runtime.ts";
import type {
  ContainerSpec,
  SandboxSpec,
} from "../../lib/port/runtime_spec.ts";
import type { WorldFacts } from "../../deploy/world.ts";
import type { Observer } from "./observer.ts";
import type { BenchPod, Subject } from "./subject.ts";

const GRACE_SECONDS = 30;

interface RawPod {
  readonly sandbox: SandboxSpec;
  readonly container: ContainerSpec;
  ids?: { readonly sandbox: SandboxId; readonly container: ContainerId };
}

export class RawSubject implements Subject {
  readonly name: string;
  readonly removes = "at-once";
  readonly pid = undefined;
  readonly observer: Observer;
  readonly #runtime: ContainerRuntime;
  readonly #settings: PodSettings;
  readonly #pods = new Map<BenchPod, RawPod>();
  readonly #signal: AbortSignal;
  /** How many pods it works on at a time. */
  concurrency = 1;

  constructor(parts: {
    readonly name: string;
    readonly world: WorldFacts;
    readonly runtime: ContainerRuntime;
    readonly observer: Observer;
    readonly signal: AbortSignal;
  }) {
    this.name = parts.name;
    this.observer = parts.observer;
    this.#runtime = parts.runtime;
    this.#settings = settings(parts.world);
    this.#signal = parts.signal;
  }

  async prepare(pods: readonly BenchPod[]): Promise<void> {
    for (const pod of pods) {
      const { raw, messageFile } = this.#requests(pod);
      this.#pods.set(pod, raw);
      await Deno.mkdir(raw.sandbox.logDirectory, { recursive: true });
      await Deno.mkdir(parent(messageFile), { recursive: true });
      await Deno.writeTextFile(messageFile, "");
    }
  }

  #requests(pod: BenchPod): { raw: RawPod; messageFile: string } {
    const [container] = pod.manifest.spec?.containers ?? [];
    if (container === undefined) throw new Error("Cannot run an empty pod");
    const result = containerSpec(
      this.#settings,
      { pod: pod.manifest, container },
      {
        attempt: 0,
        crashDelayMs: 0,
        image: { ref: container.image ?? "", userName: "" },
        podIps: [],
        hostIps: [],
        allocatable: new Map(),
        services: new Map(),
        found: undefined,
        volumePaths: new Map(),
        imageVolumes: new Map(),
        hasRecursiveReadOnly: false,
      },
    );
    if (result.kind === "refused") throw new Error(result.message);
    const sandbox = sandboxSpec(
      someFacts({ settings: this.#settings }),
      pod.manifest,
      0,
    );
    if (sandbox.kind !== "ok") throw new Error(JSON.stringify(sandbox));
    return {
      raw: { sandbox: sandbox.spec, container: result.spec },
      messageFile: result.messageFile,
    };
  }

  start(pods: readonly BenchPod[]): Promise<void> {
    return this.#each(pods, async (pod) => {
      const sandbox = await this.#runtime.runSandbox(pod.sandbox, this.#signal);
      const container = await this.#runtime.createContainer(
        { sandboxId: sandbox, ...pod },
        this.#signal,
      );
      await this.#runtime.startContainer(container, this.#signal);
      pod.ids = { sandbox, container };
    });
  }

  async stop(pods: readonly BenchPod[]): Promise<void> {
    await this.#each(pods, async ({ ids }) => {
      if (ids === undefined) return;
      const { sandbox, container } = ids;
      await this.#runtime.stopContainer(container, GRACE_SECONDS, this.#signal);
      await this.#runtime.stopSandbox(sandbox, this.#signal);
      await this.#runtime.removeContainer(container, this.#signal);
      await this.#runtime.removeSandbox(sandbox, this.#signal);
    });
    for (const pod of pods) this.#pods.delete(pod);
  }

  async #each(
    pods: readonly BenchPod[],
    work: (pod: RawPod) => Promise<void>,
  ): Promise<void> {
    const waiting = pods.map((pod) => this.#pods.get(pod));
    const worker = async () => {
      for (let pod = waiting.shift(); pod; pod = waiting.shift()) {
        await work(pod);
      }
    };
    await Promise.all(Array.from({ length: this.concurrency }, worker));
  }
}

function parent(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

function settings(world: WorldFacts): PodSettings {
  return {
    nodeName: world.name,
    podLogsDir: `${world.root}/var/log/pods`,
    containerLogsDir: `${world.root}/var/log/containers`,
    podsDir: `${world.root}/var/lib/kubelet/pods`,
    resolvConf: "",
    hostsPath: "",
    nodeHosts: { kind: "text", text: "" },
    machine: TRAITS,
    mayUseSwap: false,
    endsSingleProcess: true,
    clusterDns: [],
    clusterDomain: "",
    hostDns: { servers: [], searches: [], options: [] },
    cgroupRoot: world.cgroupRoot,
    cgroupDriver: "cgroupfs",
    usesQosCgroups: true,
    cpuPeriodUs: 100_000n,
    podPidsLimit: -1n,
    firstRestartDelayMs: 10_000,
    longestRestartDelayMs: 300_000,
    gates: OPEN_GATES,
    fixesCpus: false,
    fixesMemory: false,
    isSeccompDefault: false,
    hasStopSignals: false,
    seccompDir: "",
    memoryBytes: BigInt(Deno.systemMemoryInfo().total),
    allocatableMemoryBytes: BigInt(Deno.systemMemoryInfo().total),
    memoryQos: undefined,
    memoryReservePercent: undefined,
    allowedUnsafeSysctls: [],
  };
}
