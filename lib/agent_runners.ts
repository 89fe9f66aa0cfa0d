/** The wiring of what makes a pod's start possible beside the passes. */
import type { Reader } from "./base/cell.ts";
import type { KeyedQueue } from "./base/keyed_queue.ts";
import { Semaphore } from "./base/semaphore.ts";
import type { PodUid } from "./api/id.ts";
import type { Membership } from "./agent_cluster.ts";
import { createEnds } from "./agent_ends.ts";
import { createImages } from "./agent_images.ts";
import type { AgentOptions, AgentPorts } from "./agent_ports.ts";
import { createProbes } from "./agent_probes.ts";
import { createReferences } from "./agent_references.ts";
import type { Config } from "./config/load.ts";
import type { Recorder } from "./port/recorder.ts";
import type { Desired } from "./source/types.ts";
import type { Allocations } from "./sync/allocations.ts";
import type { Pods } from "./sync/store.ts";
import { VolumeRunner } from "./volume/run.ts";

const NOTHING: ReadonlyMap<string, string> = new Map();

/** Who makes images and volumes ready beside the passes. */
export function createRunners(
  config: Config,
  ports: AgentPorts,
  inside: Pick<AgentOptions, "credentialProviders"> & {
    readonly desired: Reader<Desired>;
    readonly queue: KeyedQueue<PodUid>;
    readonly recorder: Recorder;
    readonly membership: Membership | undefined;
    readonly pods: Pods;
    readonly suspect: () => void;
    readonly wakeAll: () => void;
  },
) {
  const { queue, recorder, membership, suspect } = inside;
  const hint = (uid: PodUid, isNews: () => boolean) => queue.hint(uid, isNews);
  const { nodeRecorder, cluster: { objects } = {} } = membership ?? {};
  const podsDir = `${config.paths.rootDir}/pods`;
  const allocatable = () => membership?.allocatable() ?? NOTHING;
  const references = createReferences(config, ports, { ...inside, hint });
  return {
    references,
    allocatable,
    ends: createEnds(ports, { recorder, hint, suspect, podsDir }),
    probes: createProbes(ports, { ...inside, hint }),
    ...createImages(config, ports, { ...inside, hint, objects, nodeRecorder }),
    volumes: new VolumeRunner(
      {
        ...ports,
        ...ports.cluster,
        ...inside,
        hint,
        deviceTurn: new Semaphore(1),
        volumeRecorder: membership?.volumeRecorder,
        objects,
        references: references.objects,
      },
      {
        podsDir,
        pluginsDir: `${config.paths.rootDir}/plugins`,
        allocatable,
        fits: (terms) => membership?.fits(terms) ?? true,
      },
    ),
  };
}

/** Labels and annotations of pods whose volumes tell of them. */
export async function followLabels(
  { desiredReader, volumes, allocations }: {
    readonly desiredReader: Reader<Desired>;
    readonly volumes: Pick<VolumeRunner, "update">;
    readonly allocations: Pick<Allocations, "podOf">;
  },
  signal: AbortSignal,
): Promise<void> {
  for await (const { pods } of desiredReader.changes(signal)) {
    for (const [uid, { pod }] of pods) {
      volumes.update(uid, allocations.podOf(pod));
    }
  }
}
