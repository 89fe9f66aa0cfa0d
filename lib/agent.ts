/**
 * The wiring: which cells there are, who writes them, which loops run, in what
 * order they start and stop. Everybody is known here and nowhere else.
 */
import { cell, type Reader } from "./base/cell.ts";
import { KeyedQueue } from "./base/keyed_queue.ts";
import { TaskScope } from "./base/tasks.ts";
import type { PodUid } from "./api/id.ts";
import type { PodStatusJson } from "./api/status.ts";
import type { V1Pod } from "./api/types.ts";
import { createMembership, type Membership } from "./agent_cluster.ts";
import type { AgentOptions, AgentPorts } from "./agent_ports.ts";
import { createRunners, followLabels } from "./agent_runners.ts";
import { createView } from "./agent_view.ts";
import type { Config } from "./config/load.ts";
import type { RuntimeHealth } from "./pod/facts.ts";
import { shownAs } from "./pod/mirror.ts";
import { heldStatus } from "./pod/status_held.ts";
import { adminHandler } from "./server/admin.ts";
import { healthHandler } from "./server/health.ts";
import type { AgentView } from "./server/view.ts";
import { runSources } from "./source/run.ts";
import { type Desired, NOTHING_YET } from "./source/types.ts";
import { createApply } from "./sync/apply.ts";
import { HealthLoop, UNHEARD } from "./sync/health.ts";
import { Ledger } from "./sync/ledger.ts";
import { Audit, followEvents, followSources, wakeAll } from "./sync/run.ts";
import { podSettings, sourceConfig } from "./sync/settings.ts";
import type { Pods } from "./sync/store.ts";
import { pass } from "./sync/worker.ts";

export interface Agent {
  readonly view: AgentView;
  /** Runs until `signal` aborts; containers are left as they are. */
  run(signal: AbortSignal): Promise<void>;
}

export function createAgent(
  config: Config,
  ports: AgentPorts,
  options: AgentOptions,
): Agent {
  const parts = createParts(config, ports, options);
  const view = createView(parts, options.version);
  return { view, run: (signal) => run(parts, view, signal) };
}

type Parts = ReturnType<typeof createParts>;

function createParts(
  config: Config,
  ports: AgentPorts,
  options: AgentOptions,
) {
  const [desired, desiredReader] = cell<Desired>(NOTHING_YET);
  const [health, healthReader] = cell<RuntimeHealth>(UNHEARD);
  const pods: Pods = new Map();
  const queue = new KeyedQueue<PodUid>(ports.clock);
  const ledger = new Ledger(ports.clock);
  const membership = joinCluster(config, ports, {
    desired: desiredReader,
    health: healthReader,
    pods,
    steps: ledger,
  });
  const recorder = membership?.recorder ?? ledger;
  const wake = () => wakeAll(loopPorts);
  const inside = { queue, recorder, membership, wakeAll: wake };
  const runners = createRunners(config, ports, inside);
  const settings = podSettings(config, ports.host, options.resolvConf);
  const healthLoop = new HealthLoop({
    ...ports,
    health,
    changed: () => {
      audit.now();
      wakeAll(loopPorts);
    },
  });
  const loopPorts = {
    ...ports,
    queue,
    settings,
    desired: desiredReader,
    health: healthReader,
    pods,
    volumes: runners.volumes,
    suspect: () => healthLoop.suspect(),
    auditMs: config.kubelet.syncFrequency,
  };
  const audit = new Audit(loopPorts);
  return {
    config,
    ports,
    settings,
    desired,
    desiredReader,
    healthReader,
    pods,
    queue,
    ledger,
    recorder,
    membership,
    ...runners,
    healthLoop,
    loopPorts,
    audit,
  };
}

/** Undefined on a standalone node. */
function joinCluster(
  config: Config,
  ports: AgentPorts,
  inside: Omit<Parameters<typeof createMembership>[2], keyof AgentPorts>,
): Membership | undefined {
  const { kubeconfig } = config.flags;
  const around = { ...ports, ...inside };
  if (kubeconfig === "") return undefined;
  return createMembership(config, ports.cluster, around);
}

/** Start order; stopping aborts all of them together. */
async function run(
  parts: Parts,
  view: AgentView,
  parent: AbortSignal,
): Promise<void> {
  const { config, ports, loopPorts, audit } = parts;
  const { clock, log } = ports;
  await makeDirectories(parts);
  const scope = new TaskScope(parent, log);
  const worker = workerPorts(parts);
  scope.run("health", (signal) => parts.healthLoop.run(signal));
  scope.run("images", (signal) => parts.imageRunner.run(signal));
  for (const { name, run } of parts.references.loops) scope.run(name, run);
  scope.run("volumes", (signal) => parts.volumes.run(signal));
  scope.run(
    "passes",
    (signal) => parts.queue.run((uid, each) => pass(worker, uid, each), signal),
  );
  scope.run("follow-sources", (signal) => followSources(loopPorts, signal));
  scope.run(
    "follow-labels",
    (signal) => followLabels(parts.desiredReader, parts.volumes, signal),
  );
  scope.run("events", (signal) => followEvents(loopPorts, audit, signal));
  scope.run("audit", (signal) => audit.run(signal));
  scope.run("sources", (signal) =>
    runSources(
      {
        files: ports.manifestFiles,
        http: ports.http,
        clock,
        log,
        config: sourceConfig(config),
        desired: parts.desired,
        api: parts.membership?.api,
      },
      signal,
    ));
  for (const { name, run } of parts.membership?.loops ?? []) {
    scope.run(name, run);
  }
  scope.run("follow-node", (signal) => followNode(parts, signal));
  scope.run("admin", (signal) => serveAdmin(parts, view, signal));
  scope.run("healthz", (signal) => serveHealthz(parts, signal));
  await scope.closed();
}

/** Compat: kubelet 1.36 setupDataDirs, for what the agent uses so far. */
async function makeDirectories({ config, ports }: Parts): Promise<void> {
  const { rootDir, podLogsDir, containerLogsDir } = config.paths;
  const { files } = ports;
  await files.makeDirectory(rootDir, 0o750);
  await files.makeDirectory(`${rootDir}/pods`, 0o750);
  await files.makeDirectory(podLogsDir, 0o750);
  await files.makeDirectory(containerLogsDir, 0o755);
}

function serveAdmin(parts: Parts, view: AgentView, signal: AbortSignal) {
  const { listener } = parts.ports;
  const path = `${parts.config.paths.runDir}/denolet.sock`;
  const handler = adminHandler(view, parts.ports);
  return listener.serve({ kind: "unix", path }, handler, signal);
}

async function serveHealthz(parts: Parts, signal: AbortSignal): Promise<void> {
  const { healthzPort, healthzBindAddress } = parts.config.kubelet;
  if (healthzPort === 0) return;
  const address = {
    kind: "tcp",
    host: healthzBindAddress,
    port: healthzPort,
  } as const;
  const handler = healthHandler([]);
  await parts.ports.listener.serve(address, handler, signal);
}

function workerPorts(parts: Parts) {
  const { ports, pods, desiredReader, recorder, membership } = parts;
  const { references } = parts;
  return {
    ...ports,
    recorder,
    images: parts.imageRunner,
    volumes: parts.volumes,
    references: references.runner,
    services: references.servicesOf,
    allocatable: parts.allocatable,
    apply: createApply({
      ...ports,
      images: parts.imageRunner,
      volumes: parts.volumes,
      references: references.runner,
      recorder,
      parallelWork: Math.max(4, 2 * ports.host.cpuCount()),
    }),
    // Until the probe runner is wired in.
    verdicts: () => new Map(),
    settings: parts.settings,
    pods,
    wanted: () => wantedBy(desiredReader),
    health: () => parts.healthReader.get(),
    isListed: () => parts.audit.isListed,
    hasListed: () => parts.audit.lastAtMs !== undefined,
    suspect: () => parts.healthLoop.suspect(),
    node: () => membership?.admissionNode(),
    hostIps: () => membership?.hostIps() ?? [],
    projected: (uid: PodUid) => membership?.statuses.wake(uid),
    forgotten: (uid: PodUid) => {
      parts.ledger.forget(uid);
      membership?.forgotten(uid);
      wakeHeirs(parts, uid);
    },
  };
}

function wantedBy(desired: Reader<Desired>) {
  const { pods, mirrors, isReady, unread } = desired.get();
  const podOf = (uid: PodUid): V1Pod | undefined => pods.get(uid)?.pod;
  return {
    isReady,
    hasUnread: unread.length > 0,
    podOf,
    statusOf: (uid: PodUid): PodStatusJson | undefined => {
      const pod = podOf(uid);
      const held = pod && shownAs(pod, mirrors);
      return held === undefined ? undefined : heldStatus(held);
    },
  };
}

/** Once the API server has told of the node, and for pods that wait for it. */
async function followNode(parts: Parts, signal: AbortSignal): Promise<void> {
  const { membership, pods, queue } = parts;
  if (membership === undefined) return;
  let before: unknown;
  for await (const node of membership.node.node.changes(signal)) {
    if (before === undefined) wakeAll(parts.loopPorts);
    before = node;
    for (const [uid, { state }] of pods) {
      if (state.kind === "waiting" && state.for === "node") queue.wake(uid);
    }
  }
}

/** Pods that waited for the name, or the same pod wanted again. */
function wakeHeirs(parts: Parts, uid: PodUid): void {
  for (const other of parts.desiredReader.get().pods.keys()) {
    const state = parts.pods.get(other)?.state;
    const waits = state?.kind === "waiting" && state.for === "name";
    if (other === uid || waits) parts.queue.wake(other);
  }
}
