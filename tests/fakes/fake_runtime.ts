/**
 * An in-memory container runtime that keeps the promises of `port/runtime.ts`
 * (`tests/contract/runtime_contract.ts` checks it like a real one). Tests act
 * on `world`: let a process exit, take the whole runtime down, make it slow.
 */
import type { ContainerId, SandboxId } from "../../lib/api/id.ts";
import type { Clock } from "../../lib/base/clock.ts";
import { AgentError } from "../../lib/base/errors.ts";
import type {
  ContainerRuntime,
  ExecResult,
  ListFilter,
  RuntimeEvent,
  RuntimeStatus,
  RuntimeVersion,
  StreamRequest,
} from "../../lib/port/runtime.ts";
import type {
  ContainerSpec,
  LinuxResources,
  SandboxSpec,
} from "../../lib/port/runtime_spec.ts";
import type {
  ContainerStats,
  ContainerStatus,
  ContainerSummary,
  SandboxStatus,
  SandboxSummary,
} from "../../lib/port/runtime_status.ts";
import type { FakeImages } from "./fake_images.ts";
import {
  containerStats,
  containerStatus,
  containerSummary,
  matchesContainer,
  matchesSandbox,
  sandboxStatus,
} from "./fake_runtime_view.ts";
import { followEvents } from "./fake_runtime_events.ts";
import { FakePrograms } from "./fake_runtime_programs.ts";
import {
  type FakeContainer,
  FakeRuntimeWorld,
  refused,
} from "./fake_runtime_world.ts";

export class FakeRuntime implements ContainerRuntime {
  readonly world: FakeRuntimeWorld;
  readonly #clock: Clock;
  readonly #images: FakeImages | undefined;
  readonly #programs: FakePrograms;

  /** With `images`, containers can be made only from images that are there. */
  constructor(clock: Clock, images?: FakeImages) {
    this.world = new FakeRuntimeWorld(clock);
    this.#clock = clock;
    this.#images = images;
    this.#programs = new FakePrograms(this.world, clock);
  }

  async version(signal: AbortSignal): Promise<RuntimeVersion> {
    await this.#arrive(signal);
    return { name: "fake", version: "1.0.0", apiVersion: "v1" };
  }

  async status(signal: AbortSignal): Promise<RuntimeStatus> {
    await this.#arrive(signal);
    const { isNetworkReady } = this.world;
    return {
      runtime: { isMet: true, reason: "", message: "" },
      network: {
        isMet: isNetworkReady,
        reason: isNetworkReady ? "" : "NetworkPluginNotReady",
        message: isNetworkReady ? "" : "cni plugin not initialized",
      },
      handlers: [{
        name: "",
        hasRecursiveReadOnlyMounts: true,
        hasUserNamespaces: true,
      }],
      hasSupplementalGroupsPolicy: true,
    };
  }

  async cgroupDriver(signal: AbortSignal): Promise<"cgroupfs"> {
    await this.#arrive(signal);
    return "cgroupfs";
  }

  async setPodCidr(_cidr: string, signal: AbortSignal): Promise<void> {
    await this.#arrive(signal);
  }

  async listSandboxes(
    filter: ListFilter,
    signal: AbortSignal,
  ): Promise<readonly SandboxSummary[]> {
    await this.#arrive(signal);
    return [...this.world.sandboxes.values()]
      .filter((sandbox) => matchesSandbox(sandbox, filter))
      .map(sandboxStatus);
  }

  async sandboxStatus(
    id: SandboxId,
    signal: AbortSignal,
  ): Promise<SandboxStatus | undefined> {
    await this.#arrive(signal, id);
    const sandbox = this.world.sandboxes.get(id);
    return sandbox === undefined ? undefined : sandboxStatus(sandbox);
  }

  async sandboxImage(id: SandboxId, signal: AbortSignal): Promise<string> {
    await this.#arrive(signal);
    return this.world.sandboxes.has(id) ? "registry.k8s.io/pause:3.10" : "";
  }

  async runSandbox(
    spec: SandboxSpec,
    signal: AbortSignal,
  ): Promise<SandboxId> {
    await this.#arrive(signal);
    const failure = this.world.sandboxFailure;
    if (failure !== undefined) throw refused("create sandbox", failure);
    for (const { spec: other, id } of this.world.sandboxes.values()) {
      if (other.podUid === spec.podUid && other.attempt === spec.attempt) {
        throw refused("create sandbox", `name is reserved for ${id}`);
      }
    }
    return this.world.addSandbox(spec).id;
  }

  async stopSandbox(id: SandboxId, signal: AbortSignal): Promise<void> {
    await this.#arrive(signal, id);
    const sandbox = this.world.sandboxes.get(id);
    if (sandbox !== undefined) this.world.haltSandbox(sandbox);
  }

  async removeSandbox(id: SandboxId, signal: AbortSignal): Promise<void> {
    await this.#arrive(signal, id);
    const sandbox = this.world.sandboxes.get(id);
    if (sandbox !== undefined) this.world.dropSandbox(sandbox);
  }

  async listContainers(
    filter: ListFilter,
    signal: AbortSignal,
  ): Promise<readonly ContainerSummary[]> {
    await this.#arrive(signal);
    return [...this.world.containers.values()]
      .filter((container) => matchesContainer(container, filter))
      .map(containerSummary);
  }

  async containerStatus(
    id: ContainerId,
    signal: AbortSignal,
  ): Promise<ContainerStatus | undefined> {
    await this.#arrive(signal, id);
    const container = this.world.containers.get(id);
    return container === undefined ? undefined : containerStatus(container);
  }

  async createContainer(
    request: {
      readonly sandboxId: SandboxId;
      readonly sandbox: SandboxSpec;
      readonly container: ContainerSpec;
    },
    signal: AbortSignal,
  ): Promise<ContainerId> {
    await this.#arrive(signal);
    const sandbox = this.world.sandbox(request.sandboxId);
    const { name, attempt, imageRef } = request.container;
    for (const { sandbox: owner, spec, id } of this.world.containers.values()) {
      if (
        owner === sandbox && spec.name === name && spec.attempt === attempt
      ) {
        throw refused("create container", `name is reserved for ${id}`);
      }
    }
    if (this.#images?.world.find(imageRef) === undefined && this.#images) {
      throw new AgentError(
        `Cannot create container ${name}: image ${imageRef} not found`,
        { next: "give-up" },
      );
    }
    return this.world.addContainer(sandbox, request.container).id;
  }

  async startContainer(id: ContainerId, signal: AbortSignal): Promise<void> {
    await this.#arrive(signal, id);
    const container = this.world.container(id);
    if (container.state !== "created") {
      throw refused(`start container ${id}`, `it is ${container.state}`);
    }
    if (!container.sandbox.isReady) {
      throw refused(`start container ${id}`, "its sandbox is not running");
    }
    this.#programs.start(container);
  }

  async stopContainer(
    id: ContainerId,
    graceSeconds: number,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#arrive(signal, id);
    const container = this.world.containers.get(id);
    if (container?.state !== "running") return;
    await this.#programs.stop(container, graceSeconds, signal);
  }

  async removeContainer(id: ContainerId, signal: AbortSignal): Promise<void> {
    await this.#arrive(signal, id);
    const container = this.world.containers.get(id);
    if (container !== undefined) this.world.dropContainer(container);
  }

  async reopenLog(id: ContainerId, signal: AbortSignal): Promise<void> {
    await this.#arrive(signal);
    this.#running(id, "reopen the log");
  }

  async updateResources(
    id: ContainerId,
    resources: LinuxResources,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#arrive(signal);
    this.world.resize(id, resources);
  }

  async updateSandbox(
    id: SandboxId,
    { resources }: Pick<SandboxSpec, "resources" | "overhead">,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#arrive(signal);
    if (resources !== undefined) this.world.sandbox(id).told = resources;
  }

  async execSync(
    request: Parameters<ContainerRuntime["execSync"]>[0],
    signal: AbortSignal,
  ): Promise<ExecResult> {
    await this.#arrive(signal, request.id);
    const container = this.#running(request.id, "run a command");
    const done = await this.#programs.exec(container, request, signal);
    const { outputLimitBytes: limit } = request;
    return {
      ...done,
      stdout: done.stdout.subarray(0, limit),
      stderr: done.stderr.subarray(0, limit),
    };
  }

  async execUrl(request: StreamRequest, signal: AbortSignal): Promise<string> {
    await this.#arrive(signal);
    this.#running(request.containerId, "prepare exec");
    return `http://127.0.0.1:1/exec/${request.containerId}`;
  }

  async attachUrl(
    request: Omit<StreamRequest, "command">,
    signal: AbortSignal,
  ): Promise<string> {
    await this.#arrive(signal);
    this.#running(request.containerId, "prepare attach");
    return `http://127.0.0.1:1/attach/${request.containerId}`;
  }

  async portForwardUrl(
    request: { readonly id: SandboxId; readonly ports: readonly number[] },
    signal: AbortSignal,
  ): Promise<string> {
    await this.#arrive(signal);
    return `http://127.0.0.1:1/portforward/${
      this.world.sandbox(request.id).id
    }`;
  }

  async listContainerStats(
    filter: ListFilter,
    signal: AbortSignal,
  ): Promise<readonly ContainerStats[]> {
    await this.#arrive(signal);
    const nowMs = this.#clock.nowMs();
    return [...this.world.containers.values()]
      .filter((container) => matchesContainer(container, filter))
      .filter((container) => container.state === "running")
      .map((container) =>
        containerStats(container, this.world.usage.get(container.id), nowMs)
      );
  }

  async *events(signal: AbortSignal): AsyncGenerator<RuntimeEvent> {
    await this.#arrive(signal);
    if (!this.world.hasEvents) {
      throw new AgentError("Cannot follow events: not implemented", {
        next: "give-up",
      });
    }
    yield* followEvents(this.world, signal);
  }

  /** The way to the runtime: it takes its time, and the runtime may be down. */
  async #arrive(
    signal: AbortSignal,
    id?: SandboxId | ContainerId,
  ): Promise<void> {
    signal.throwIfAborted();
    if (this.world.isHung(id)) await this.world.hang(signal);
    if (this.world.latencyMs > 0) {
      await this.#clock.sleep(this.world.latencyMs, signal);
    } else {
      await Promise.resolve();
      signal.throwIfAborted();
    }
    if (this.world.isDown) throw refused("reach the runtime", "it is down");
  }

  #running(id: ContainerId, doing: string): FakeContainer {
    const container = this.world.container(id);
    if (container.state === "running") return container;
    throw refused(doing, `container ${id} is ${container.state}`);
  }
}
