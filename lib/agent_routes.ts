/**
 * The table of contents of the node's API: every path there is, and the
 * switches of the configuration. A new path is one more line here.
 */
import type { Reader } from "./base/cell.ts";
import { CONFIG_MIRROR } from "./api/pod.ts";
import type { AgentPorts } from "./agent_ports.ts";
import type { Probes } from "./agent_probes.ts";
import type { Config } from "./config/load.ts";
import { checkpointRoute } from "./server/checkpoint_route.ts";
import { containerLogRoute } from "./server/container_logs.ts";
import { healthRoutes } from "./server/health.ts";
import { metricsRoute, startTime } from "./server/http_metrics.ts";
import { sliRoute } from "./server/sli_metrics.ts";
import type { Route } from "./server/node_routes.ts";
import { podRoutes, runningPodRoutes } from "./server/pod_list.ts";
import type { PodIndex } from "./server/pod_lookup.ts";
import { runRoutes } from "./server/run_route.ts";
import { type StatsRouteParts, statsRoutes } from "./server/stats.ts";
import { streamRoutes } from "./server/streams.ts";
import { systemLogRoutes } from "./server/system_logs.ts";
import type { AgentView } from "./server/view.ts";
import {
  configzRoute,
  disabledRoutes,
  profileRoutes,
  verbosityRoute,
  type ZpageParts,
  zpageRoutes,
} from "./server/zpages.ts";
import type { Desired } from "./source/types.ts";
import type { Audit } from "./sync/audit.ts";

export interface RouteParts {
  readonly config: Config;
  readonly ports: AgentPorts;
  readonly view: AgentView;
  readonly desiredReader: Reader<Desired>;
  readonly audit: Pick<Audit, "lastAtMs">;
  readonly probes: Pick<Probes, "metrics">;
  /** Finds out what `/metrics` tells only when somebody asks. */
  readonly refresh: () => Promise<void>;
  readonly figures: Omit<StatsRouteParts, "clock" | "log" | "serving">;
}

/** The table of contents of the node's API. */
export function routesOf(parts: RouteParts, serving: AbortSignal): Route[] {
  const { config, ports, view, probes, refresh } = parts;
  const { kubelet } = config;
  const zpages = { ...ports, config, startedAtMs: ports.clock.nowMs() };
  const checks = healthChecks(parts);
  const always = [
    ...healthRoutes(checks),
    ...podRoutes({ ...ports, view }),
    metricsRoute("/metrics", ports.meters.set, refresh),
    metricsRoute(
      "/metrics/probes",
      probes.metrics,
      startTime(probes.metrics, ports.usage),
    ),
    sliRoute(checks, ports.usage),
    ...statsRoutes({ ...ports, ...parts.figures, serving }),
  ];
  if (!kubelet.enableDebuggingHandlers) {
    return [
      ...always,
      ...disabledRoutes(DEBUGGING, "Debug endpoints are disabled."),
    ];
  }
  const routes = [...always, ...debuggingRoutes(parts, zpages)];
  const paths = routes.map(({ path }) => path.replace(/\/[:*].*$/, "/"));
  return [...routes, ...zpageRoutes(zpages, paths)];
}

/** Compat: kubelet 1.36 InstallDebuggingDisabledHandlers */
const DEBUGGING = [
  "/run",
  "/exec",
  "/attach",
  "/portForward",
  "/containerLogs",
  "/runningpods",
  "/debug/pprof",
  "/logs",
];

function debuggingRoutes(parts: RouteParts, zpages: ZpageParts): Route[] {
  const { config, ports, view, desiredReader } = parts;
  const { kubelet, features, paths } = config;
  const index: PodIndex = {
    view,
    translated: (uid) => translated(desiredReader.get(), uid),
  };
  const shared = { ...ports, view, index };
  return [
    ...kubelet.enableSystemLogHandler
      ? []
      : disabledRoutes(["/logs"], "logs endpoint is disabled."),
    ...kubelet.enableProfilingHandler
      ? []
      : disabledRoutes(["/debug/pprof"], "profiling endpoint is disabled."),
    ...kubelet.enableDebugFlagsHandler
      ? []
      : disabledRoutes(["/debug/flags/v"], "flags endpoint is disabled."),
    ...systemLogRoutes({
      logs: ports.systemLogs,
      mayQuery: kubelet.enableSystemLogQuery,
    }),
    ...profileRoutes(),
    verbosityRoute(zpages),
    ...runRoutes(shared),
    ...streamRoutes({
      ...shared,
      speaksWebSocket: features.ExtendWebSocketsToKubelet === true,
      idleMs: kubelet.streamingConnectionIdleTimeout,
    }),
    containerLogRoute({
      ...shared,
      logs: ports,
      hasStreams: features.PodLogsQuerySplitStreams === true,
    }),
    configzRoute(zpages),
    ...runningPodRoutes(shared),
    ...features.ContainerCheckpoint === true
      ? [checkpointRoute({ ...shared, folder: `${paths.rootDir}/checkpoints` })]
      : [],
  ];
}

/** Compat: kubelet 1.36 SyncLoopHealthCheck: twice the resync, at least this. */
const STALE_MS = 5 * 60_000;

export interface HealthParts {
  readonly config: Config;
  readonly ports: Pick<AgentPorts, "clock">;
  readonly audit: Pick<Audit, "lastAtMs">;
}

/** What has to be well, also for the watchdog to be fed. */
export function healthChecks({ config, ports, audit }: HealthParts) {
  const limitMs = Math.max(STALE_MS, 2 * config.kubelet.syncFrequency);
  const syncloop = () => {
    const { lastAtMs } = audit;
    return lastAtMs !== undefined && ports.clock.nowMs() - lastAtMs > limitMs
      ? "sync Loop took longer than expected"
      : undefined;
  };
  return [
    { name: "log", check: () => undefined },
    { name: "syncloop", check: syncloop },
  ];
}

/** A mirror's uid means the static pod behind it. */
function translated({ mirrors }: Desired, uid: string): string {
  const mirror = mirrors.values().find(({ metadata }) => metadata?.uid === uid);
  return mirror?.metadata?.annotations?.[CONFIG_MIRROR] ?? uid;
}
