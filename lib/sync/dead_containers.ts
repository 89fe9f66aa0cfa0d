/**
 * Removes dead containers with their logs: those of pods that have ended, to
 * free the disk, and those beyond the limits of the node. What is told of them
 * stands in the pods' statuses by then.
 * Compat: kubelet 1.36 DeleteAllUnusedContainers, GarbageCollect.
 */
import { type PodName, podNameOf } from "../api/pod.ts";
import { removal } from "../pod/clean.ts";
import { beyondLimits } from "../pod/dead_limits.ts";
import type { ObservedContainer, PodSettings } from "../pod/facts.ts";
import type { Files } from "../port/host.ts";
import type { ContainerRuntime } from "../port/runtime.ts";
import { removeLogs } from "./remove_logs.ts";
import type { PodMemory, PodsReader } from "./store.ts";

interface DeadPorts {
  readonly runtime: Pick<ContainerRuntime, "removeContainer">;
  readonly files: Files;
  readonly pods: PodsReader;
  readonly settings: PodSettings;
}

export async function removeDeadContainers(
  ports: DeadPorts,
  signal: AbortSignal,
): Promise<void> {
  const ended = [...ports.pods.values()]
    .filter(({ state }) => state.kind === "done")
    .flatMap((memory) => deadOf(memory));
  await remove(ports, ended, signal);
}

/** Of pods that live, too: a limit may be that none is kept. */
export async function limitDeadContainers(
  ports: DeadPorts,
  nowMs: number,
  signal: AbortSignal,
): Promise<void> {
  const { deadLimits } = ports.settings;
  // The passes see to the others.
  if (deadLimits.perContainer !== 0 && deadLimits.total < 0) return;
  const units = [...ports.pods.values()].flatMap((memory) => {
    const dead = deadOf(memory);
    return [...new Set(dead.map(({ name }) => name))]
      .map((name) => dead.filter((each) => each.name === name));
  });
  await remove(ports, beyondLimits(units, deadLimits, nowMs), signal);
}

type Dead = ObservedContainer & { readonly pod: PodName };

function deadOf({ pod, observed }: PodMemory): Dead[] {
  if (pod === undefined) return [];
  const name = podNameOf(pod);
  return observed.containers.filter(({ state }) => state === "exited")
    .map((each) => ({ ...each, pod: name }));
}

async function remove(
  { runtime, files, settings }: DeadPorts,
  dead: readonly Dead[],
  signal: AbortSignal,
): Promise<void> {
  for (const each of dead) {
    const { id, log } = removal({ settings, name: each.pod }, each);
    await runtime.removeContainer(id, signal);
    if (log === undefined) continue;
    await files.remove(log.link);
    await removeLogs(files, log.file);
  }
}
