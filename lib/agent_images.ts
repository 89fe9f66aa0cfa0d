/**
 * The wiring of images: who pulls, with which credentials, and what is
 * remembered of it.
 */
import { type Reader, until } from "./base/cell.ts";
import type { PodUid } from "./api/id.ts";
import type { AgentOptions, AgentPorts } from "./agent_ports.ts";
import type { Config } from "./config/load.ts";
import { ImageCollector } from "./image/collect.ts";
import { CredentialPlugin } from "./image/plugin.ts";
import { PodCredentials } from "./image/pod_credentials.ts";
import { PullRecords } from "./image/pull_records.ts";
import { ImageRunner } from "./image/run.ts";
import {
  gcSettings,
  imageOptions,
  verificationSettings,
} from "./image/settings.ts";
import type { ClusterObjects } from "./port/cluster.ts";
import type { Recorder } from "./port/recorder.ts";
import { allContainersOf } from "./api/pod.ts";
import type { V1Pod } from "./api/types.ts";
import type { NodeRecorder } from "./node/types.ts";
import type { Desired } from "./source/types.ts";

interface Inside {
  readonly recorder: Recorder;
  readonly hint: (uid: PodUid, isNews: () => boolean) => void;
  readonly desired: Reader<Desired>;
  /** Undefined on a standalone node. */
  readonly objects: ClusterObjects | undefined;
  /** Events of the node; undefined on a standalone node. */
  readonly nodeRecorder: NodeRecorder | undefined;
  readonly credentialProviders: AgentOptions["credentialProviders"];
}

export function createImages(
  config: Config,
  ports: AgentPorts,
  inside: Inside,
) {
  const settings = verificationSettings(config);
  const records = settings &&
    new PullRecords(ports, settings, config.paths.rootDir);
  const imageRunner = new ImageRunner({
    ...ports,
    ...inside,
    podOf: (uid) => inside.desired.get().pods.get(uid)?.pod,
    credentials: createCredentials(config, ports, inside),
    records,
  }, imageOptions(config));
  const imageCollector = new ImageCollector({
    ...ports,
    disk: (path) => ports.usage.filesystem(path),
    wanted: () => wantedImages(inside.desired.get()),
    records,
    recorder: inside.nodeRecorder ?? NOBODY,
    removed: (reason) => ports.meters.imagesRemoved.add({ reason }),
  }, gcSettings(config));
  return {
    imageRunner,
    imageCollector,
    runImages: async (signal: AbortSignal) => {
      const collect = async () => {
        await until(inside.desired, ({ isReady }) => isReady, signal);
        await imageCollector.run(signal);
      };
      await Promise.all([imageRunner.run(signal), collect()]);
    },
  };
}

function createCredentials(
  config: Config,
  ports: AgentPorts,
  inside: Inside,
): PodCredentials {
  const { objects, credentialProviders } = inside;
  const { certificateFiles: nodeFiles } = ports.cluster;
  const binDir = config.flags.imageCredentialProviderBinDir;
  const plugins = credentialProviders.map((provider) =>
    new CredentialPlugin(
      { ...ports, accounts: objects },
      provider,
      `${binDir}/${provider.name}`,
    )
  );
  return new PodCredentials(
    { ...ports, ...inside, secrets: objects, nodeFiles },
    { directories: [config.paths.rootDir, "/.docker"], plugins },
  );
}

/** Of all pods that may still run; undefined while some are not known. */
function wantedImages(
  { isReady, pods }: Desired,
): Iterable<string> | undefined {
  return isReady
    ? [...pods.values()].flatMap(({ pod }) => imagesOf(pod))
    : undefined;
}

function imagesOf(pod: V1Pod): readonly string[] {
  const { phase } = pod.status ?? {};
  if (phase === "Succeeded" || phase === "Failed") return [];
  const volumes = pod.spec?.volumes ?? [];
  return [
    ...allContainersOf(pod).map(({ image }) => image),
    ...volumes.map(({ image }) => image?.reference),
  ].filter((image) => image !== undefined);
}

/** A standalone node has no events; the log tells the same. */
const NOBODY: NodeRecorder = { record: () => {} };
