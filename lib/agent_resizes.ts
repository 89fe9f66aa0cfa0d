/** The wiring of what pods are given while they run. */
import type { createCells } from "./agent_cells.ts";
import type { Membership } from "./agent_cluster.ts";
import type { Ends } from "./agent_ends.ts";
import type { AgentPorts } from "./agent_ports.ts";
import type { Config } from "./config/load.ts";
import type { PodSettings } from "./pod/facts.ts";
import type { Recorder } from "./port/recorder.ts";
import { Allocations } from "./sync/allocations.ts";
import { Resizes } from "./sync/resizes.ts";
import type { VolumeRunner } from "./volume/run.ts";

export interface ResizeParts {
  readonly allocations: Allocations;
  readonly resizes: Resizes;
}

export function createResizes(
  { paths: { rootDir } }: Pick<Config, "paths">,
  ports: AgentPorts,
  inside:
    & Pick<
      ReturnType<typeof createCells>,
      | "desiredReader"
      | "pressureReader"
      | "shuttingDownReader"
      | "pods"
      | "queue"
    >
    & {
      readonly settings: PodSettings;
      readonly recorder: Recorder;
      readonly membership: Membership | undefined;
      readonly ends: Pick<Ends, "preemptions">;
      readonly volumes: Pick<VolumeRunner, "update">;
    },
): ResizeParts {
  const { desiredReader, pressureReader, shuttingDownReader } = inside;
  const { membership, queue } = inside;
  const { settings: { gates }, volumes } = inside;
  const allocations = new Allocations(ports, { rootDir, gates });
  const resizes = new Resizes({
    ...ports,
    ...inside,
    allocations,
    preemptions: inside.ends.preemptions,
    desired: desiredReader,
    node: () => membership?.admissionNode(),
    pressures: () => pressureReader.get(),
    isShuttingDown: () => shuttingDownReader.get(),
    given: (uid, pod) => volumes.update(uid, allocations.podOf(pod)),
    wake: (uid) => queue.wake(uid),
  });
  return { allocations, resizes };
}

export async function runResizes(
  { allocations, resizes }: ResizeParts,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all([allocations.run(signal), resizes.run(signal)]);
}
