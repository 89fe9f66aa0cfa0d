/**
 * The wiring of images: who pulls, with which credentials, and what is
 * remembered of it.
 */
import type { Reader } from "./base/cell.ts";
import type { PodUid } from "./api/id.ts";
import type { AgentOptions, AgentPorts } from "./agent_ports.ts";
import type { Config } from "./config/load.ts";
import { CredentialPlugin } from "./image/plugin.ts";
import { PodCredentials } from "./image/pod_credentials.ts";
import { PullRecords } from "./image/pull_records.ts";
import { ImageRunner } from "./image/run.ts";
import type { ClusterObjects } from "./port/cluster.ts";
import type { Recorder } from "./port/recorder.ts";
import type { Desired } from "./source/types.ts";
import { imageOptions, verificationSettings } from "./sync/settings.ts";

interface Inside {
  readonly recorder: Recorder;
  readonly hint: (uid: PodUid, isNews: () => boolean) => void;
  readonly desired: Reader<Desired>;
  /** Undefined on a standalone node. */
  readonly objects: ClusterObjects | undefined;
  readonly credentialProviders: AgentOptions["credentialProviders"];
}

export function createImages(
  config: Config,
  ports: AgentPorts,
  inside: Inside,
): ImageRunner {
  const { objects, desired, credentialProviders } = inside;
  const { certificateFiles: nodeFiles } = ports.cluster;
  const { rootDir } = config.paths;
  const binDir = config.flags.imageCredentialProviderBinDir;
  const plugins = credentialProviders.map((provider) =>
    new CredentialPlugin(
      { ...ports, accounts: objects },
      provider,
      `${binDir}/${provider.name}`,
    )
  );
  const settings = verificationSettings(config);
  return new ImageRunner({
    ...ports,
    ...inside,
    podOf: (uid) => desired.get().pods.get(uid)?.pod,
    credentials: new PodCredentials(
      { ...ports, ...inside, secrets: objects, nodeFiles },
      { directories: [rootDir, "/.docker"], plugins },
    ),
    records: settings && new PullRecords(ports, settings, rootDir),
  }, imageOptions(config));
}
