/**
 * Removes the dead containers of pods that have ended, with their logs, to
 * free the disk. What is told of such a pod stands in its status by then.
 * Compat: kubelet 1.36 DeleteAllUnusedContainers.
 */
import { podNameOf } from "../api/pod.ts";
import { removal } from "../pod/clean.ts";
import type { PodSettings } from "../pod/facts.ts";
import type { Files } from "../port/host.ts";
import type { ContainerRuntime } from "../port/runtime.ts";
import { removeLogs } from "./remove_logs.ts";
import type { PodsReader } from "./store.ts";

export async function removeDeadContainers(
  ports: {
    readonly runtime: Pick<ContainerRuntime, "removeContainer">;
    readonly files: Files;
    readonly pods: PodsReader;
    readonly settings: PodSettings;
  },
  signal: AbortSignal,
): Promise<void> {
  const { runtime, files, pods, settings } = ports;
  const dead = [...pods.values()].flatMap(({ pod, state, observed }) => {
    if (pod === undefined || state.kind !== "done") return [];
    return observed.containers.filter((each) => each.state === "exited")
      .map((each) => removal({ settings, name: podNameOf(pod) }, each));
  });
  for (const { id, log } of dead) {
    await runtime.removeContainer(id, signal);
    if (log === undefined) continue;
    await files.remove(log.link);
    await removeLogs(files, log.file);
  }
}
