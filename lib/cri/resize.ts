/** Resources of what runs: the two RPCs that change them. */
import type { ContainerId, SandboxId } from "../api/id.ts";
import type { LinuxResources, SandboxSpec } from "../port/runtime_spec.ts";
import type { Channel } from "./channel.ts";
import { isNotImplemented } from "./errors.ts";
import { linuxResources } from "./translate_spec.ts";

const SERVICE = "runtime.v1.RuntimeService";

export type SandboxSize = Pick<SandboxSpec, "resources" | "overhead">;

export async function updateResources(
  channel: Channel,
  { id, resources }: {
    readonly id: ContainerId;
    readonly resources: LinuxResources;
  },
  signal: AbortSignal,
): Promise<void> {
  await channel.unary(
    `${SERVICE}/UpdateContainerResources`,
    { containerId: id, linux: linuxResources(resources), annotations: {} },
    { doing: `update the resources of container ${id}`, signal },
  );
}

/** Compat: kubelet 1.36 updatePodSandboxResources: only a hint. */
export async function updateSandbox(
  channel: Channel,
  { id, sandbox: { resources, overhead } }: {
    readonly id: SandboxId;
    readonly sandbox: SandboxSize;
  },
  signal: AbortSignal,
): Promise<void> {
  try {
    await channel.unary(
      `${SERVICE}/UpdatePodSandboxResources`,
      {
        podSandboxId: id,
        overhead: overhead ? linuxResources(overhead) : null,
        resources: resources ? linuxResources(resources) : null,
      },
      { doing: `update the resources of sandbox ${id}`, signal },
    );
  } catch (error) {
    if (!isNotImplemented(error)) throw error;
  }
}
