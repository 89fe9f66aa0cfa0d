/**
 * Takes the steps of one resize: looks whether what becomes less is used,
 * then sets one thing after the other and writes down what is set. Called by
 * apply.ts. The first thing that is refused ends it; the rest is tried later.
 * Compat: kubelet 1.36 doPodResizeAction, validateMemoryResizeAction.
 */
import { AgentError, chainOf, isAbort } from "../base/errors.ts";
import type { Clock } from "../base/clock.ts";
import type { PodUid } from "../api/id.ts";
import type { Meters } from "../api/meters.ts";
import type { Action } from "../pod/action.ts";
import type { ResizeStep } from "../pod/resize_step.ts";
import type { Cgroups } from "../port/cgroups.ts";
import type { ContainerRuntime } from "../port/runtime.ts";
import type { Usage } from "../port/usage.ts";
import type { Allocations } from "./allocations.ts";
import type { ApplyPlace } from "./place.ts";

export interface ResizePodPorts {
  readonly runtime: Pick<
    ContainerRuntime,
    "updateResources" | "updateSandbox" | "listContainerStats"
  >;
  readonly cgroups: Pick<Cgroups, "apply">;
  readonly usage: Pick<Usage, "cgroup">;
  readonly allocations: Pick<
    Allocations,
    "kept" | "noteContainer" | "notePod" | "noteCgroup"
  >;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly meters: Pick<Meters, "resizeMilliseconds">;
}

type ResizePod = Extract<Action, { kind: "resize-pod" }>;

export async function resizePod(
  ports: ResizePodPorts,
  action: ResizePod,
  at: ApplyPlace,
): Promise<void> {
  const { allocations, clock, meters } = ports;
  await allocations.kept();
  const startedMs = clock.monotonicMs();
  const over = (success: "true" | "false") => {
    const tookMs = clock.monotonicMs() - startedMs;
    meters.resizeMilliseconds.observe({ success }, tookMs);
  };
  try {
    await refuseUsed(ports, action, at);
    for (const step of action.steps) {
      await take(ports, { ...action, step }, at);
    }
    allocations.noteCgroup(at.uid);
    over("true");
  } catch (error) {
    if (!isAbort(error, at.signal)) over("false");
    throw error;
  }
}

async function take(
  ports: ResizePodPorts,
  { sandboxId, step }: Pick<ResizePod, "sandboxId"> & {
    readonly step: ResizeStep;
  },
  { uid, signal }: ApplyPlace,
): Promise<void> {
  const { runtime, cgroups, allocations } = ports;
  switch (step.kind) {
    case "container":
      await runtime.updateResources(step.id, step.resources, signal);
      return allocations.noteContainer(uid, step.name, step.given);
    case "pod":
      return allocations.notePod(uid, step.given);
    case "cgroup": {
      await notify(ports, { sandboxId, step }, signal);
      const faults = await cgroups.apply(step.path, step.values, "leave");
      const used = faults.find(({ kind }) => kind === "in-use");
      if (used !== undefined) throw refused(used.message);
    }
  }
}

async function notify(
  { runtime }: ResizePodPorts,
  { sandboxId, step }: {
    readonly sandboxId: ResizePod["sandboxId"];
    readonly step: Extract<ResizeStep, { kind: "cgroup" }>;
  },
  signal: AbortSignal,
): Promise<void> {
  try {
    await runtime.updateSandbox(sandboxId, step.sandbox, signal);
  } catch (error) {
    if (isAbort(error, signal) || !(error instanceof AgentError)) throw error;
    throw new AgentError(
      "failed to notify runtime for UpdatePodSandboxResources (resource=" +
        `${step.resource}); resize rejected: ${chainOf(error)}`,
      { next: error.next, ...reasonIn(error) },
    );
  }
}

function reasonIn({ reason }: AgentError): { readonly reason?: string } {
  return reason === undefined ? {} : { reason };
}

/** The kernel would end processes to get below the limit, or refuse it. */
async function refuseUsed(
  ports: ResizePodPorts,
  { lower, steps }: ResizePod,
  { uid, signal }: ApplyPlace,
): Promise<void> {
  const { podBytes, containerBytes } = lower;
  if (podBytes === undefined && containerBytes.size === 0) return;
  const podUsed = podBytes === undefined
    ? undefined
    : await podUse(ports, steps);
  const used = await containerUse(ports, uid, signal);
  const complaints = [
    ...podBytes === undefined ? [] : complaint(podBytes, podUsed, "pod"),
    ...[...containerBytes].flatMap(([name, bytes]) =>
      complaint(bytes, used.get(name), `container ${JSON.stringify(name)}`)
    ),
  ];
  const [first] = complaints;
  if (first === undefined) return;
  const words = complaints.length === 1 ? first : `[${complaints.join(", ")}]`;
  throw refused(`cannot decrease memory limits: ${words}`);
}

function complaint(
  bytes: bigint,
  used: bigint | undefined,
  who: string,
): string[] {
  if (used === undefined) return [`missing ${who} memory usage`];
  return used < bytes ? [] : [
    `attempting to set ${who} memory limit (${bytes}) below current usage ` +
    `(${used})`,
  ];
}

async function podUse(
  { usage }: ResizePodPorts,
  steps: readonly ResizeStep[],
): Promise<bigint | undefined> {
  const step = steps.find((each) => each.kind === "cgroup");
  if (step?.kind !== "cgroup") return undefined;
  const use = await usage.cgroup(step.path, "cpu-and-memory");
  return use?.memory?.usageBytes;
}

async function containerUse(
  { runtime }: ResizePodPorts,
  podUid: PodUid,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, bigint>> {
  const stats = await runtime.listContainerStats({ podUid }, signal);
  return new Map(
    stats.flatMap(({ name, memory }) =>
      memory === undefined ? [] : [[name, memory.usageBytes] as const]
    ),
  );
}

function refused(message: string): AgentError {
  return new AgentError(message, { next: "retry" });
}
