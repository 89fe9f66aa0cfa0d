/**
 * What a contract needs to know about the runtime it is tried on: how to name
 * programs, make a process end, read its log and let time pass. One harness
 * stands for one runtime; each promise gets a pod of its own from it.
 */
import assert from "node:assert/strict";
import {
  type ContainerId,
  type PodUid,
  podUid,
  type SandboxId,
} from "../../lib/api/id.ts";
import { AgentError, type Next } from "../../lib/base/errors.ts";
import type { ContainerRuntime } from "../../lib/port/runtime.ts";
import type {
  ContainerSpec,
  SandboxSpec,
} from "../../lib/port/runtime_spec.ts";
import type { ContainerStatus } from "../../lib/port/runtime_status.ts";
import { aContainerSpec, aSandboxSpec } from "./runtime_specs.ts";

export interface RuntimeHarness {
  readonly runtime: ContainerRuntime;
  readonly imageRef: string;
  readonly logRoot: string;
  readonly programs: {
    /** Runs until told, ends with 143 on the stop signal. */
    readonly obedient: readonly string[];
    /** Runs until killed. */
    readonly stubborn: readonly string[];
    readonly exits: (code: number) => readonly string[];
  };
  /** Lets the obedient program end by itself. */
  exit(id: ContainerId, code: number): Promise<void>;
  /** Lets the obedient program print a line. */
  print(id: ContainerId, line: string): Promise<void>;
  readLog(path: string): Promise<string>;
  /** Lets time pass, where it does not do so by itself. */
  pass(ms: number): Promise<void>;
  /** Absent where the runtime must not be disturbed. */
  readonly restart?: {
    readonly down: () => Promise<void>;
    readonly up: () => Promise<void>;
  };
  close(): Promise<void>;
}

/** One promise of the runtime's port. */
export interface RuntimePromise {
  readonly name: string;
  /** Needs a runtime that may be taken down. */
  readonly restarts?: true;
  readonly check: (pod: TestPod) => Promise<void>;
}

/** A pod of a test's own, with shorthands for what contracts do most. */
export class TestPod {
  readonly uid: PodUid;
  readonly sandbox: SandboxSpec;
  readonly harness: RuntimeHarness;
  readonly signal: AbortSignal;

  constructor(harness: RuntimeHarness, signal: AbortSignal) {
    this.uid = podUid(crypto.randomUUID());
    this.harness = harness;
    this.signal = signal;
    this.sandbox = aSandboxSpec(this.uid, {
      logDirectory: `${harness.logRoot}/${this.uid}`,
    });
  }

  get runtime(): ContainerRuntime {
    return this.harness.runtime;
  }

  run(): Promise<SandboxId> {
    return this.runtime.runSandbox(this.sandbox, this.signal);
  }

  create(
    sandboxId: SandboxId,
    own: Partial<ContainerSpec> = {},
  ): Promise<ContainerId> {
    const container = aContainerSpec(this.uid, {
      imageRef: this.harness.imageRef,
      command: this.harness.programs.obedient,
      ...own,
    });
    return this.runtime.createContainer(
      { sandboxId, sandbox: this.sandbox, container },
      this.signal,
    );
  }

  /** A running container in a new sandbox. */
  async start(
    own: Partial<ContainerSpec> = {},
  ): Promise<{ sandboxId: SandboxId; id: ContainerId }> {
    const sandboxId = await this.run();
    const id = await this.create(sandboxId, own);
    await this.runtime.startContainer(id, this.signal);
    return { sandboxId, id };
  }

  async status(id: ContainerId): Promise<ContainerStatus> {
    const status = await this.runtime.containerStatus(id, this.signal);
    assert.ok(status, `container ${id} is gone`);
    return status;
  }

  /** Waits until the container has ended. */
  async ended(id: ContainerId): Promise<ContainerStatus> {
    for (let tries = 0; tries < 400; tries++) {
      const status = await this.status(id);
      if (status.state === "exited") return status;
      await this.harness.pass(25);
    }
    assert.fail(`container ${id} does not end`);
  }

  async close(): Promise<void> {
    const filter = { podUid: this.uid };
    const left = await this.runtime.listSandboxes(filter, this.signal);
    for (const { id } of left) {
      await this.runtime.stopSandbox(id, this.signal);
      await this.runtime.removeSandbox(id, this.signal);
    }
  }
}

/** The failure of `work`, which must be an `AgentError` that says `next`. */
export async function failure(
  work: Promise<unknown>,
  next: Next,
): Promise<AgentError> {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof AgentError, `not an AgentError: ${error}`);
    assert.equal(error.next, next, error.message);
    assert.match(error.message, /^[A-Z]/);
    return error;
  }
  assert.fail("nothing failed");
}
