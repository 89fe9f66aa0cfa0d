/**
 * The wiring: which cells there are, who writes them, which loops run, in what
 * order they start and stop. Everybody is known here and nowhere else.
 */
import { TaskScope } from "./base/tasks.ts";
import {
  createMembership,
  type Loop,
  type Membership,
} from "./agent_cluster.ts";
import { tellingCgroups } from "./agent_faults.ts";
import { createCgroupLoop } from "./agent_cgroups.ts";
import { keepLogs } from "./agent_ends.ts";
import { makeDirectories } from "./agent_directories.ts";
import { createEviction, followOoms, nodePressure } from "./agent_eviction.ts";
import {
  followClasses,
  followNode,
  followStarts,
  podCidrLoop,
} from "./agent_follow.ts";
import { createCells } from "./agent_cells.ts";
import { checkHost } from "./agent_host.ts";
import type { AgentOptions, AgentPorts } from "./agent_ports.ts";
import { createResizes, runResizes } from "./agent_resizes.ts";
import { createRunners, followLabels } from "./agent_runners.ts";
import { createGauges } from "./agent_gauges.ts";
import { createIptables } from "./agent_iptables.ts";
import { watchLag } from "./agent_meters.ts";
import { ending, managerLoops } from "./agent_manager.ts";
import { createServers } from "./agent_server.ts";
import { createShutdown } from "./agent_shutdown.ts";
import { stampState } from "./agent_stamp.ts";
import { createStats, statsNode } from "./agent_stats.ts";
import { createView } from "./agent_view.ts";
import { workerPorts } from "./agent_worker.ts";
import type { Config } from "./config/load.ts";
import type { EvictionLoop } from "./eviction/run.ts";
import { adminHandler } from "./server/admin.ts";
import type { AgentView } from "./server/view.ts";
import type { ShutdownLoop } from "./shutdown/run.ts";
import { runSources } from "./source/run.ts";
import { sourceConfig } from "./source/settings.ts";
import { HealthLoop } from "./sync/health.ts";
import { PodMeter } from "./sync/pod_meter.ts";
import { Audit, wakeAll } from "./sync/audit.ts";
import { followEvents, followSources } from "./sync/run.ts";
import { podSettings, userIdOptions } from "./sync/settings.ts";
import { UserIds } from "./sync/user_ids.ts";
import { pass } from "./sync/worker.ts";

export interface Agent {
  readonly view: AgentView;
  /**
   * Runs until `signal` aborts; containers are left as they are, unless the
   * machine goes down. Not even that is waited for once `atOnce` aborts.
   */
  run(signal: AbortSignal, atOnce?: AbortSignal): Promise<void>;
}

export function createAgent(
  config: Config,
  given: AgentPorts,
  options: AgentOptions,
): Agent {
  const cgroups = tellingCgroups(given);
  const ports = { ...given, cgroups };
  checkHost(config, ports.host.traits());
  const parts = createParts(config, ports, options);
  const stats = createStats(parts);
  const eviction = createEviction({ ...parts, stats });
  const keeper = createCgroupLoop(parts);
  const shutdown = createShutdown(parts);
  const iptables = createIptables(parts);
  const own = { ...parts, eviction, keeper, shutdown, iptables };
  const view = createView(own, options.version);
  const { version } = options;
  const figures = { stats, ...statsNode(parts, stats, version) };
  const refresh = createGauges({ ...parts, stats, version });
  const servers = createServers({ ...parts, view, figures, refresh });
  const loops = [
    ...parts.membership?.loops ?? [],
    ...servers,
    followOoms(parts),
    podCidrLoop(parts),
    ...iptables.loops,
    ...managerLoops({ ...parts, view }),
  ];
  return {
    view,
    run: (signal, atOnce = new AbortController().signal) =>
      run({ ...own, loops, view, version }, { signal, atOnce }),
  };
}

type Parts = ReturnType<typeof createParts> & {
  readonly eviction: EvictionLoop;
  readonly keeper: ReturnType<typeof createCgroupLoop>;
  readonly shutdown: ShutdownLoop;
  readonly loops: readonly Loop[];
  readonly view: AgentView;
  readonly version: string;
};

function createParts(
  config: Config,
  ports: AgentPorts,
  options: AgentOptions,
) {
  const cells = createCells(ports.clock);
  const { desiredReader: desired, healthReader, pods, queue, ledger } = cells;
  const readers = { desired, health: healthReader, pods };
  const podMeter = new PodMeter({ ...ports, pods });
  const membership = joinCluster(config, ports, {
    ...readers,
    pressure: nodePressure(cells),
    isShuttingDown: cells.shuttingDownReader,
    steps: ledger,
    written: (uid, sinceMs) => podMeter.written(uid, sinceMs),
  });
  const recorder = podMeter.listening(membership?.recorder ?? ledger);
  const settings = podSettings(config, ports.host);
  const inside = {
    ...readers,
    wakeAll: () => wakeAll(loopPorts),
    queue,
    recorder,
    membership,
    suspect: () => healthLoop.suspect(),
  };
  const runners = createRunners(config, ports, { ...options, ...inside });
  const around = { ...inside, ...runners, ...cells, settings };
  const resizing = createResizes(config, ports, around);
  const healthLoop = new HealthLoop({
    ...ports,
    health: cells.health,
    changed: () => {
      audit.now();
      wakeAll(loopPorts);
    },
  });
  const loopPorts = {
    ...ports,
    ...inside,
    settings,
    volumes: runners.volumes,
    ...resizing,
    lastWords: runners.ends.lastWords,
    auditMs: config.kubelet.syncFrequency,
  };
  const audit = new Audit(loopPorts);
  const userIds = new UserIds(ports, userIdOptions(config, ports.nodeTexts));
  return {
    ...around,
    ...resizing,
    ...{ config, ports, userIds, podMeter },
    ...{ healthLoop, loopPorts, audit },
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
  { signal: asked, atOnce }: { signal: AbortSignal; atOnce: AbortSignal },
): Promise<void> {
  const { config, ports, loopPorts, audit } = parts;
  const { clock, log } = ports;
  await prepare(parts);
  const scope = new TaskScope(ending(parts, asked, atOnce), log);
  const worker = workerPorts(parts, parts.keeper);
  scope.run("health", (signal) => parts.healthLoop.run(signal));
  scope.run("cgroups", (signal) => parts.keeper.run(signal));
  scope.run("images", (signal) => parts.runImages(signal));
  for (const { name, run } of parts.references.loops) scope.run(name, run);
  scope.run("volumes", (signal) => parts.volumes.run(signal));
  scope.run("probes", (signal) => parts.probes.run(signal));
  scope.run("logs", (signal) => keepLogs(parts, signal));
  scope.run("eviction", (signal) => parts.eviction.run(signal));
  scope.run("shutdown", (signal) => parts.shutdown.run(signal));
  scope.run("stops", (signal) => parts.ends.stops.run(signal));
  scope.run("resizes", (signal) => runResizes(parts, signal));
  scope.run("passes", (life) => {
    const ports = { ...worker, life };
    return parts.queue.run(
      (uid, signal) => parts.podMeter.pass(uid, () => pass(ports, uid, signal)),
      life,
    );
  });
  scope.run(
    "follow-sources",
    (signal) => followSources(loopPorts, audit, signal),
  );
  scope.run(
    "follow-labels",
    (signal) => followLabels(parts, signal),
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
  for (const { name, run } of parts.loops) scope.run(name, run);
  scope.run("follow-node", (signal) => followNode(parts, signal));
  scope.run("follow-classes", (signal) => followClasses(parts, signal));
  scope.run("follow-starts", (signal) => followStarts(parts, signal));
  scope.run("lag", (signal) => watchLag(ports, parts.stall, signal));
  scope.run("admin", (signal) => serveAdmin(parts, signal));
  await scope.closed();
}

/** What nobody may act without. */
async function prepare(parts: Parts): Promise<void> {
  const { version, config } = parts;
  await stampState(parts.ports, { rootDir: config.paths.rootDir, version });
  await makeDirectories(parts);
  await parts.allocations.recover();
}

function serveAdmin(parts: Parts, signal: AbortSignal) {
  const { listener } = parts.ports;
  const path = `${parts.config.paths.runDir}/denolet.sock`;
  const handler = adminHandler(parts.view, parts.ports);
  return listener.serve({ kind: "unix", path }, handler, signal);
}
