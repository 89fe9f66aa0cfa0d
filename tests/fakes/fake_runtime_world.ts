/**
 * The state of the fake runtime: sandboxes, containers, their logs and events,
 * and what may happen to them. `FakeRuntime` is the port on top of it; tests
 * use this side to make things happen and to look at the result.
 */
import {
  type ContainerId,
  containerId,
  type SandboxId,
  sandboxId,
} from "../../lib/api/id.ts";
import type { Clock } from "../../lib/base/clock.ts";
import { AgentError } from "../../lib/base/errors.ts";
import type { ExecResult, RuntimeEvent } from "../../lib/port/runtime.ts";
import type {
  ContainerSpec,
  LinuxResources,
  SandboxSpec,
} from "../../lib/port/runtime_spec.ts";
import type { ContainerStateKind } from "../../lib/port/runtime_status.ts";

export interface FakeSandbox {
  readonly id: SandboxId;
  readonly spec: SandboxSpec;
  readonly createdAtMs: number;
  readonly ips: readonly string[];
  isReady: boolean;
  /** What the runtime was told that the pod is to have. */
  told?: LinuxResources;
}

export interface FakeContainer {
  readonly id: ContainerId;
  readonly sandbox: FakeSandbox;
  readonly spec: ContainerSpec;
  readonly createdAtMs: number;
  /** Resolves when its process is gone. */
  readonly exited: PromiseWithResolvers<void>;
  resources: LinuxResources;
  state: ContainerStateKind;
  startedAtMs: number;
  finishedAtMs: number;
  exitCode: number;
  reason: string;
  message: string;
}

export interface Usage {
  readonly coreNanoseconds: bigint;
  readonly workingSetBytes: bigint;
  readonly writableBytes: bigint;
}

const KILLED = 137;

export class FakeRuntimeWorld {
  readonly sandboxes = new Map<SandboxId, FakeSandbox>();
  readonly containers = new Map<ContainerId, FakeContainer>();
  /** Usage of a container as statistics will tell it. */
  readonly usage = new Map<ContainerId, Usage>();
  /** Set to make every new sandbox fail with this text. */
  sandboxFailure: string | undefined;
  /** Set to make the runtime refuse other resources with this text. */
  resizeFailure: string | undefined;
  /** Told of each container that has other resources. */
  resized: (container: FakeContainer) => void = () => {};
  isNetworkReady = true;
  /** False: a runtime without `GetContainerEvents`. */
  hasEvents = true;
  /** How long each call takes. */
  latencyMs = 0;
  /** What a command inside a container does; undefined: the usual. */
  exec: (
    container: FakeContainer,
    command: readonly string[],
  ) => ExecResult | undefined = () => undefined;
  readonly #clock: Clock;
  readonly #logs = new Map<string, string>();
  readonly #listeners = new Set<(event: RuntimeEvent | "down") => void>();
  #isDown = false;
  #lastId = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isDown(): boolean {
    return this.#isDown;
  }

  /** The runtime goes down; its containers live on. */
  stop(): void {
    this.#isDown = true;
    for (const listener of this.#listeners) listener("down");
  }

  start(): void {
    this.#isDown = false;
  }

  /** The container's process ends by itself. */
  exit(id: ContainerId, code: number, reason?: string): void {
    const container = this.container(id);
    if (container.state !== "running") return;
    container.exitCode = code;
    container.reason = reason ?? (code === 0 ? "Completed" : "Error");
    this.#finish(container);
  }

  /** The container's process prints one line to its standard output. */
  print(id: ContainerId, line: string): void {
    const path = logPathOf(this.container(id));
    const time = new Date(this.#clock.nowMs()).toISOString();
    this.#logs.set(path, `${this.log(path)}${time} stdout F ${line}\n`);
  }

  /** A log file's text; empty when there is none. */
  log(path: string): string {
    return this.#logs.get(path) ?? "";
  }

  /** The newest container of this name in this pod. */
  find(podName: string, name: string): FakeContainer | undefined {
    return [...this.containers.values()].findLast((container) =>
      container.sandbox.spec.podName === podName &&
      container.spec.name === name
    );
  }

  /** Throws as the runtime does for an id that it does not know. */
  container(id: ContainerId): FakeContainer {
    const found = this.containers.get(id);
    if (found !== undefined) return found;
    throw new AgentError(`Cannot find container ${id}: not found`, {
      next: "give-up",
    });
  }

  resize(id: ContainerId, resources: LinuxResources): void {
    const container = this.container(id);
    if (this.resizeFailure !== undefined) {
      throw refused(`update container ${id}`, this.resizeFailure);
    }
    container.resources = resources;
    this.resized(container);
  }

  /** Throws as the runtime does for an id that it does not know. */
  sandbox(id: SandboxId): FakeSandbox {
    const found = this.sandboxes.get(id);
    if (found !== undefined) return found;
    throw new AgentError(`Cannot find sandbox ${id}: not found`, {
      next: "give-up",
    });
  }

  addSandbox(spec: SandboxSpec): FakeSandbox {
    const id = sandboxId(`s${++this.#lastId}`);
    const hasNetwork = spec.security.namespaces.network !== "node";
    const sandbox: FakeSandbox = {
      id,
      spec,
      createdAtMs: this.#clock.nowMs(),
      ips: hasNetwork ? [this.#nextIp()] : [],
      isReady: true,
    };
    this.sandboxes.set(id, sandbox);
    this.#tell(sandbox, "created", id);
    this.#tell(sandbox, "started", id);
    return sandbox;
  }

  addContainer(sandbox: FakeSandbox, spec: ContainerSpec): FakeContainer {
    const container: FakeContainer = {
      id: containerId(`c${++this.#lastId}`),
      sandbox,
      spec,
      createdAtMs: this.#clock.nowMs(),
      exited: Promise.withResolvers<void>(),
      resources: spec.resources,
      state: "created",
      startedAtMs: 0,
      finishedAtMs: 0,
      exitCode: 0,
      reason: "",
      message: "",
    };
    this.containers.set(container.id, container);
    this.#tell(sandbox, "created", container.id);
    return container;
  }

  run(container: FakeContainer): void {
    container.state = "running";
    container.startedAtMs = this.#clock.nowMs();
    this.#logs.set(logPathOf(container), this.log(logPathOf(container)));
    this.#tell(container.sandbox, "started", container.id);
  }

  /** The container's process could not even begin. */
  failStart(container: FakeContainer, message: string): void {
    container.exitCode = 128;
    container.reason = "StartError";
    container.message = message;
    this.#finish(container);
  }

  kill(container: FakeContainer): void {
    this.exit(container.id, KILLED);
  }

  haltSandbox(sandbox: FakeSandbox): void {
    for (const container of this.#containersOf(sandbox)) this.kill(container);
    if (!sandbox.isReady) return;
    sandbox.isReady = false;
    this.#tell(sandbox, "stopped", sandbox.id);
  }

  dropSandbox(sandbox: FakeSandbox): void {
    this.haltSandbox(sandbox);
    for (const container of this.#containersOf(sandbox)) {
      this.dropContainer(container);
    }
    this.sandboxes.delete(sandbox.id);
  }

  dropContainer(container: FakeContainer): void {
    this.kill(container);
    this.containers.delete(container.id);
    this.#tell(container.sandbox, "deleted", container.id);
  }

  /** Calls `listener` for each event until the returned function is called. */
  listen(listener: (event: RuntimeEvent | "down") => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #containersOf(sandbox: FakeSandbox): FakeContainer[] {
    return [...this.containers.values()].filter((container) =>
      container.sandbox === sandbox
    );
  }

  #finish(container: FakeContainer): void {
    container.state = "exited";
    container.finishedAtMs = this.#clock.nowMs();
    container.exited.resolve();
    this.#tell(container.sandbox, "stopped", container.id);
  }

  #tell(sandbox: FakeSandbox, kind: RuntimeEvent["kind"], id: string): void {
    const event: RuntimeEvent = {
      podUid: sandbox.spec.podUid,
      kind,
      id,
      atMs: this.#clock.nowMs(),
    };
    if (this.#isDown) return;
    for (const listener of this.#listeners) listener(event);
  }

  #nextIp(): string {
    const taken = new Set(
      [...this.sandboxes.values()].filter((sandbox) => sandbox.isReady)
        .flatMap((sandbox) => sandbox.ips),
    );
    for (let host = 2;; host++) {
      const ip = `10.88.${host >> 8}.${host & 255}`;
      if (!taken.has(ip)) return ip;
    }
  }
}

export function logPathOf(container: FakeContainer): string {
  return `${container.sandbox.spec.logDirectory}/${container.spec.logPath}`;
}

/** A failure that may not be one the next time. */
export function refused(doing: string, why: string): AgentError {
  const cause = new Error(why);
  return new AgentError(`Cannot ${doing}: ${why}`, { next: "retry", cause });
}
