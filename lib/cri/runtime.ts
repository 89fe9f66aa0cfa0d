/**
 * The container runtime behind `port/runtime.ts`, over the CRI: each method is
 * one RPC. It keeps no state and never retries; errors say what to do next.
 */
import {
  type ContainerId,
  containerId,
  type SandboxId,
  sandboxId,
} from "../api/id.ts";
import type {
  ContainerRuntime,
  ExecResult,
  ListFilter,
  RuntimeEvent,
  RuntimeStatus,
  RuntimeVersion,
  StreamRequest,
} from "../port/runtime.ts";
import type {
  ContainerSpec,
  LinuxResources,
  SandboxSpec,
} from "../port/runtime_spec.ts";
import type {
  ContainerStats,
  ContainerStatus,
  ContainerSummary,
  SandboxStatus,
  SandboxSummary,
} from "../port/runtime_status.ts";
import type { Channel } from "./channel.ts";
import { absentIsUndefined, failSandbox, hasCode } from "./errors.ts";
import { runtimeEvents } from "./events.ts";
import {
  type AttachSpec,
  attachUrl,
  type ExecRequest,
  execSync,
  execUrl,
  type PortForwardSpec,
  portForwardUrl,
} from "./exec.ts";
import { listContainerStats, sandboxImage } from "./figures.ts";
import { type SandboxSize, updateResources, updateSandbox } from "./resize.ts";
import { CGROUP_DRIVERS, int64Of, wholeGrace } from "./translate.ts";
import * as ask from "./translate_spec.ts";
import * as tell from "./translate_status.ts";

const SERVICE = "runtime.v1.RuntimeService";

export class CriRuntime implements ContainerRuntime {
  readonly #channel: Channel;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  async version(signal: AbortSignal): Promise<RuntimeVersion> {
    const answer = await this.#channel.unary(
      `${SERVICE}/Version`,
      { version: "0.1.0" },
      { doing: "ask for the runtime's version", signal },
    );
    return {
      name: answer.runtimeName,
      version: answer.runtimeVersion,
      apiVersion: answer.runtimeApiVersion,
    };
  }

  async status(signal: AbortSignal): Promise<RuntimeStatus> {
    const options = { doing: "ask for the runtime's status", signal };
    return tell.runtimeStatus(
      await this.#channel.unary(`${SERVICE}/Status`, {}, options),
    );
  }

  async cgroupDriver(
    signal: AbortSignal,
  ): Promise<"systemd" | "cgroupfs" | undefined> {
    try {
      const answer = await this.#channel.unary(
        `${SERVICE}/RuntimeConfig`,
        {},
        { doing: "ask for the runtime's cgroup driver", signal },
      );
      return CGROUP_DRIVERS[answer.linux?.cgroupDriver ?? -1];
    } catch (error) {
      if (hasCode(error, "UNIMPLEMENTED")) return undefined;
      throw error;
    }
  }

  async setPodCidr(cidr: string, signal: AbortSignal): Promise<void> {
    await this.#channel.unary(
      `${SERVICE}/UpdateRuntimeConfig`,
      { runtimeConfig: { networkConfig: { podCidr: cidr } } },
      { doing: `set the pod address range to ${cidr}`, signal },
    );
  }

  async listSandboxes(
    filter: ListFilter,
    signal: AbortSignal,
  ): Promise<readonly SandboxSummary[]> {
    const answer = await this.#channel.unary(
      `${SERVICE}/ListPodSandbox`,
      { filter: ask.sandboxFilter(filter) },
      { doing: "list sandboxes", signal },
    );
    return answer.items.map(tell.sandboxSummary);
  }

  async sandboxStatus(
    id: SandboxId,
    signal: AbortSignal,
  ): Promise<SandboxStatus | undefined> {
    const answer = await absentIsUndefined(this.#channel.unary(
      `${SERVICE}/PodSandboxStatus`,
      { podSandboxId: id },
      { doing: `ask for the status of sandbox ${id}`, signal },
    ));
    const status = answer?.status ?? null;
    return status === null ? undefined : tell.sandboxStatus(status);
  }

  /** Compat: kubelet 1.36 RunPodSandbox: twice the ordinary deadline. */
  async runSandbox(
    spec: SandboxSpec,
    signal: AbortSignal,
  ): Promise<SandboxId> {
    const asked = this.#channel.unary(
      `${SERVICE}/RunPodSandbox`,
      {
        config: ask.sandboxConfig(spec),
        runtimeHandler: spec.runtimeHandler,
      },
      {
        doing: `create sandbox for ${spec.podNamespace}/${spec.podName}`,
        deadlineMs: 2 * this.#channel.requestTimeoutMs,
        signal,
      },
    );
    const { podSandboxId } = await asked.catch(failSandbox);
    return sandboxId(podSandboxId);
  }

  async stopSandbox(id: SandboxId, signal: AbortSignal): Promise<void> {
    await absentIsUndefined(this.#channel.unary(
      `${SERVICE}/StopPodSandbox`,
      { podSandboxId: id },
      { doing: `stop sandbox ${id}`, signal },
    ));
  }

  async removeSandbox(id: SandboxId, signal: AbortSignal): Promise<void> {
    await absentIsUndefined(this.#channel.unary(
      `${SERVICE}/RemovePodSandbox`,
      { podSandboxId: id },
      { doing: `remove sandbox ${id}`, signal },
    ));
  }

  async listContainers(
    filter: ListFilter,
    signal: AbortSignal,
  ): Promise<readonly ContainerSummary[]> {
    const answer = await this.#channel.unary(
      `${SERVICE}/ListContainers`,
      { filter: ask.containerFilter(filter) },
      { doing: "list containers", signal },
    );
    return answer.containers.map(tell.containerSummary);
  }

  async containerStatus(
    id: ContainerId,
    signal: AbortSignal,
  ): Promise<ContainerStatus | undefined> {
    const answer = await absentIsUndefined(this.#channel.unary(
      `${SERVICE}/ContainerStatus`,
      { containerId: id },
      { doing: `ask for the status of container ${id}`, signal },
    ));
    const status = answer?.status ?? null;
    return status === null ? undefined : tell.containerStatus(status);
  }

  async createContainer(
    request: {
      readonly sandboxId: SandboxId;
      readonly sandbox: SandboxSpec;
      readonly container: ContainerSpec;
    },
    signal: AbortSignal,
  ): Promise<ContainerId> {
    const answer = await this.#channel.unary(
      `${SERVICE}/CreateContainer`,
      {
        podSandboxId: request.sandboxId,
        config: ask.containerConfig(request.container),
        sandboxConfig: ask.sandboxConfig(request.sandbox),
      },
      { doing: `create container ${request.container.name}`, signal },
    );
    return containerId(answer.containerId);
  }

  async startContainer(id: ContainerId, signal: AbortSignal): Promise<void> {
    await this.#channel.unary(
      `${SERVICE}/StartContainer`,
      { containerId: id },
      { doing: `start container ${id}`, signal },
    );
  }

  async stopContainer(
    id: ContainerId,
    graceSeconds: number,
    signal: AbortSignal,
  ): Promise<void> {
    const seconds = wholeGrace(graceSeconds);
    await absentIsUndefined(this.#channel.unary(
      `${SERVICE}/StopContainer`,
      { containerId: id, timeout: int64Of(BigInt(seconds)) },
      {
        doing: `stop container ${id}`,
        deadlineMs: seconds * 1000 + this.#channel.requestTimeoutMs,
        signal,
      },
    ));
  }

  async removeContainer(id: ContainerId, signal: AbortSignal): Promise<void> {
    await absentIsUndefined(this.#channel.unary(
      `${SERVICE}/RemoveContainer`,
      { containerId: id },
      { doing: `remove container ${id}`, signal },
    ));
  }

  async reopenLog(id: ContainerId, signal: AbortSignal): Promise<void> {
    await this.#channel.unary(
      `${SERVICE}/ReopenContainerLog`,
      { containerId: id },
      { doing: `reopen the log of container ${id}`, signal },
    );
  }

  async updateResources(
    id: ContainerId,
    resources: LinuxResources,
    signal: AbortSignal,
  ): Promise<void> {
    await updateResources(this.#channel, { id, resources }, signal);
  }

  async updateSandbox(
    id: SandboxId,
    sandbox: SandboxSize,
    signal: AbortSignal,
  ): Promise<void> {
    await updateSandbox(this.#channel, { id, sandbox }, signal);
  }

  execSync(request: ExecRequest, signal: AbortSignal): Promise<ExecResult> {
    return execSync(this.#channel, request, signal);
  }

  execUrl(request: StreamRequest, signal: AbortSignal): Promise<string> {
    return execUrl(this.#channel, request, signal);
  }

  attachUrl(request: AttachSpec, signal: AbortSignal): Promise<string> {
    return attachUrl(this.#channel, request, signal);
  }

  portForwardUrl(
    request: PortForwardSpec,
    signal: AbortSignal,
  ): Promise<string> {
    return portForwardUrl(this.#channel, request, signal);
  }

  listContainerStats(
    filter: ListFilter,
    signal: AbortSignal,
  ): Promise<readonly ContainerStats[]> {
    return listContainerStats(this.#channel, filter, signal);
  }

  sandboxImage(id: SandboxId, signal: AbortSignal): Promise<string> {
    return sandboxImage(this.#channel, id, signal);
  }

  events(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    return runtimeEvents(this.#channel, signal);
  }
}
