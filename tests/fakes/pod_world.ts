/**
 * A whole node in memory: the real agent, wired by `createAgent`, with fakes
 * as its ports. The machine outlives the agent, which may be restarted on it.
 */
import { type Agent, createAgent } from "../../lib/agent.ts";
import { type Fields, type Logger, silentLogger } from "../../lib/base/log.ts";
import { createMetrics } from "../../lib/base/metrics.ts";
import { Trail } from "../../lib/base/trail.ts";
import { createMeters } from "../../lib/api/meters.ts";
import type { Config } from "../../lib/config/load.ts";
import type { Listener } from "../../lib/port/net.ts";
import type { NodeListener } from "../../lib/port/node_server.ts";
import { load } from "../../lib/config/load_fixture.ts";
import { type Call, traced } from "./cluster_trace.ts";
import { FakeClock } from "./fake_clock.ts";
import { FakeCluster } from "./fake_cluster.ts";
import { FakeFiles, fakeHostFacts, FakeNodeTexts } from "./fake_host.ts";
import { FakeCgroups } from "./fake_cgroups.ts";
import { FakeKernel, FakeKernelSettings } from "./fake_kernel.ts";
import { FakeHttp } from "./fake_http.ts";
import { FakeLogFiles, FakeLogKeeper } from "./fake_log_files.ts";
import { FakeLogind, FakeManager } from "./fake_logind.ts";
import { FakeHostPaths, FakeMounts } from "./fake_mounts.ts";
import { FakeImages } from "./fake_images.ts";
import { FakePodNet } from "./fake_pod_net.ts";
import { FakeRuntime } from "./fake_runtime.ts";
import { memberPorts } from "./member_ports.ts";
import { PodTrace } from "./pod_world_trace.ts";
import { FakeOwnProcess } from "./fake_own_process.ts";
import { FakeUsage } from "./fake_usage.ts";

export const MANIFESTS = "/etc/kubernetes/manifests";

const DNS = "clusterDNS: [10.96.0.10]\nclusterDomain: cluster.local\n";

/** No key is made and no certificate asked for. */
const MEMBER_SETTINGS = `rotateCertificates: false
tlsCertFile: /etc/kubernetes/serving.crt
tlsPrivateKeyFile: /etc/kubernetes/serving.key
`;

export class PodWorld {
  readonly clock = new FakeClock();
  readonly images = new FakeImages(this.clock);
  readonly runtime = new FakeRuntime(this.clock, this.images);
  readonly files = new FakeFiles();
  readonly manifests = new FakeFiles("follow");
  readonly mounts = new FakeMounts(this.files, "/var/lib/kubelet");
  readonly hostPaths = new FakeHostPaths();
  readonly cgroups = new FakeCgroups();
  readonly ownProcess = new FakeOwnProcess();
  readonly nodeTexts = new FakeNodeTexts();
  readonly usage = new FakeUsage(this.clock);
  readonly kernel = new FakeKernel();
  readonly podNet = new FakePodNet(this.clock);
  readonly logind = new FakeLogind();
  readonly manager = new FakeManager();
  /** Asked by a member of a cluster only. */
  readonly cluster = new FakeCluster();
  readonly trace = new PodTrace(this.runtime.world, this.clock);
  readonly #config: Config;
  #diesAt: Call | undefined;
  #agent: Agent;
  #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();

  /** `settings`: lines of a kubelet configuration; flags besides. */
  constructor(settings = "", flags: readonly string[] = []) {
    const file = `staticPodPath: ${MANIFESTS}\nenableServer: false\n` +
      DNS + settings;
    this.#config = load([...flags], { file }).config;
    this.#agent = this.#create();
    this.manifests.put(`${MANIFESTS}/.keep`, "");
  }

  /** A world whose agent has its pods from the cluster too. */
  static ofMember(settings = ""): PodWorld {
    return new PodWorld(MEMBER_SETTINGS + settings, [
      "--kubeconfig=/etc/kubernetes/kubelet.conf",
    ]);
  }

  get view(): Agent["view"] {
    return this.#agent.view;
  }

  /** Boots an agent that knows nothing but what the machine tells. */
  async start(): Promise<void> {
    this.#agent = this.#create();
    this.#stop = new AbortController();
    // It is ended as by a kill: not even a shutdown is waited for.
    const { signal } = this.#stop;
    this.#running = this.#agent.run(signal, signal);
    this.#running.catch((error) => this.trace.say(`agent failed: ${error}`));
    await this.settle();
  }

  /** The agent ends; what runs goes on. */
  async stop(): Promise<void> {
    this.#stop.abort(new DOMException("The world ends it", "AbortError"));
    await this.#running;
  }

  /** The agent ends the moment the runtime has its next container. */
  dieAtCreation(): void {
    const { containers } = this.runtime.world;
    const unlisten = this.runtime.world.listen((event) => {
      if (event === "down" || event.kind !== "created") return;
      if (![...containers.values()].some(({ id }) => id === event.id)) return;
      unlisten();
      this.#stop.abort(new DOMException("It died", "AbortError"));
    });
  }

  /** The agent ends the moment it wants to tell the API server this. */
  dieBefore(call: Call): void {
    this.#diesAt = call;
  }

  /** Lets everything happen that needs no time to pass. */
  async settle(): Promise<void> {
    await this.advance(0);
  }

  async advance(ms: number): Promise<void> {
    await this.clock.advance(ms);
  }

  #before(call: Call): void {
    if (this.#diesAt !== call) return;
    this.#diesAt = undefined;
    this.trace.say("the agent died");
    this.#stop.abort(new DOMException("It died", "AbortError"));
    this.#stop.signal.throwIfAborted();
  }

  #create(): Agent {
    return createAgent(this.#config, {
      runtime: this.runtime,
      images: this.images,
      files: this.files,
      manifestFiles: this.manifests,
      logFiles: new FakeLogFiles(this.files),
      logKeeper: new FakeLogKeeper(this.files),
      systemLogs: {
        folder: "/var/log",
        files: this.files,
        logFiles: new FakeLogFiles(this.files),
        journal: { units: () => Promise.resolve(new Set()), read: nothing },
      },
      checkpoints: { checkpoint: () => Promise.resolve() },
      mounts: this.mounts,
      hostPaths: this.hostPaths,
      cgroups: this.cgroups,
      ownProcess: this.ownProcess,
      host: fakeHostFacts(),
      usage: this.usage,
      kernel: this.kernel,
      kernelSettings: new FakeKernelSettings(),
      programs: { run: () => Promise.reject(new Error("No plugin here")) },
      nodeTexts: this.nodeTexts,
      http: new FakeHttp(),
      podNet: this.podNet,
      listener: QUIET,
      nodeListener: QUIET,
      clock: this.clock,
      log: loggerInto(this.trace),
      meters: createMeters(createMetrics()),
      trail: new Trail(this.clock),
      logind: this.logind,
      manager: this.manager,
      cluster: memberPorts(traced(this.cluster, {
        say: (words) => this.trace.say(words),
        before: (call) => this.#before(call),
      })),
    }, { version: "0.0.0", credentialProviders: [] });
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** Nobody ever connects. */
const QUIET: Listener & NodeListener = {
  serve: (_address: unknown, _handler: unknown, signal: AbortSignal) =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
    }),
};

/** Errors are bugs of the agent, so they show in what happened. */
function loggerInto(trace: PodTrace): Logger {
  const logger: Logger = {
    ...silentLogger,
    error: (message: string, fields?: Fields) =>
      trace.say(`agent error: ${message} ${JSON.stringify(fields ?? {})}`),
    with: () => logger,
  };
  return logger;
}
