/** The wiring of what makes a pod's start possible beside the passes. */
import type { Reader } from "./base/cell.ts";
import type { KeyedQueue } from "./base/keyed_queue.ts";
import type { PodUid } from "./api/id.ts";
import type { Membership } from "./agent_cluster.ts";
import type { AgentPorts } from "./agent_ports.ts";
import { createReferences } from "./agent_references.ts";
import type { Config } from "./config/load.ts";
import { ImageRunner } from "./image/run.ts";
import type { Recorder } from "./port/recorder.ts";
import type { Desired } from "./source/types.ts";
import { imageOptions } from "./sync/settings.ts";
import { VolumeRunner } from "./volume/run.ts";

const NOTHING: ReadonlyMap<string, string> = new Map();

/** Who makes images and volumes ready beside the passes. */
export function createRunners(
  config: Config,
  ports: AgentPorts,
  inside: {
    readonly queue: KeyedQueue<PodUid>;
    readonly recorder: Recorder;
    readonly membership: Membership | undefined;
    readonly wakeAll: () => void;
  },
) {
  const { queue, membership } = inside;
  const hint = (uid: PodUid, isNews: () => boolean) => queue.hint(uid, isNews);
  const shared = { ...ports, ...ports.cluster, ...inside, hint };
  const references = createReferences(config, ports, shared);
  const allocatable = () => membership?.allocatable() ?? NOTHING;
  return {
    references,
    allocatable,
    imageRunner: new ImageRunner(shared, imageOptions(config)),
    volumes: new VolumeRunner(
      {
        ...shared,
        objects: membership?.cluster.objects,
        references: references.objects,
      },
      {
        podsDir: `${config.paths.rootDir}/pods`,
        allocatable,
      },
    ),
  };
}

/** Labels and annotations of pods whose volumes tell of them. */
export async function followLabels(
  desired: Reader<Desired>,
  volumes: VolumeRunner,
  signal: AbortSignal,
): Promise<void> {
  for await (const { pods } of desired.changes(signal)) {
    for (const [uid, { pod }] of pods) volumes.update(uid, pod);
  }
}
