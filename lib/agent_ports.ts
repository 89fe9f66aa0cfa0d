/** What the agent is handed by whoever makes one. */
import type { Clock } from "./base/clock.ts";
import type { RootLogger } from "./base/log.ts";
import type { Trail } from "./base/trail.ts";
import type { Meters } from "./api/meters.ts";
import type { Cgroups } from "./port/cgroups.ts";
import type {
  Files,
  HostFacts,
  HostPaths,
  Mounts,
  NodeTexts,
} from "./port/host.ts";
import type { Images } from "./port/images.ts";
import type { LogFiles, LogKeeper, SystemLogs } from "./port/log_files.ts";
import type { Http, Listener, PodNet } from "./port/net.ts";
import type { NodeListener } from "./port/node_server.ts";
import type { Checkpoints } from "./port/checkpoints.ts";
import type { OwnProcess } from "./port/processes.ts";
import type { Programs } from "./port/programs.ts";
import type { KernelNews, KernelSettings } from "./port/kernel.ts";
import type { ContainerRuntime } from "./port/runtime.ts";
import type { Logind, ServiceManager } from "./port/service_manager.ts";
import type { Usage } from "./port/usage.ts";
import type { ClusterPorts } from "./agent_cluster.ts";
import type { CredentialProvider } from "./config/credential_providers.ts";

/** What the agent needs from the outside. */
export interface AgentPorts {
  readonly runtime: ContainerRuntime;
  readonly images: Images;
  readonly files: Files;
  /** Follows links, as admins may place them in the manifest folder. */
  readonly manifestFiles: Files;
  readonly logFiles: LogFiles;
  readonly logKeeper: LogKeeper;
  /** What `/logs` shows: the machine's own, below one folder. */
  readonly systemLogs: SystemLogs;
  readonly checkpoints: Checkpoints;
  readonly mounts: Mounts;
  readonly hostPaths: HostPaths;
  readonly cgroups: Cgroups;
  readonly ownProcess: OwnProcess;
  readonly host: HostFacts;
  readonly usage: Usage;
  readonly kernel: KernelNews;
  readonly kernelSettings: KernelSettings;
  /** Credential plugins, where some are configured. */
  readonly programs: Programs;
  readonly nodeTexts: NodeTexts;
  readonly http: Http;
  /** Asks containers, for their probes and hooks. */
  readonly podNet: PodNet;
  readonly listener: Listener;
  readonly nodeListener: NodeListener;
  readonly clock: Clock;
  readonly log: RootLogger;
  /** What the agent counts. */
  readonly meters: Meters;
  /** What ran lately, for when the event loop was late. */
  readonly trail: Trail;
  /** Who tells that the machine goes down, and waits for us. */
  readonly logind: Logind;
  /** Who started us. */
  readonly manager: ServiceManager;
  /** Used where a kubeconfig is configured; else the node is standalone. */
  readonly cluster: ClusterPorts;
}

/** What only `main.ts` knows. */
export interface AgentOptions {
  readonly version: string;
  /** Plugins for image credentials, in the order in which they are asked. */
  readonly credentialProviders: readonly CredentialProvider[];
}
