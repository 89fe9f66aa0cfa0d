/**
 * Counts what is asked of the node's API, in few series whatever is sent.
 * Compat: kubelet 1.36 getMetricBucket, getMetricMethodBucket
 */
import type { Clock } from "../base/clock.ts";
import type { Metrics } from "../base/metrics.ts";
import type { Meters } from "../api/meters.ts";
import { PAGE_METRICS } from "../api/metric_table_node.ts";
import type { NodeHandler } from "../port/node_server.ts";
import type { Usage } from "../port/usage.ts";
import { EXPOSITION, typed } from "./node_answer.ts";
import type { Route } from "./node_routes.ts";

const METHODS = new Set([
  "OPTIONS",
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "DELETE",
  "TRACE",
  "CONNECT",
]);
const LONG = new Set(["exec", "attach", "portforward", "debug"]);

export function counted(
  handler: NodeHandler,
  parts: {
    readonly meters: Pick<
      Meters,
      "httpRequests" | "httpSeconds" | "httpInflight"
    >;
    readonly clock: Pick<Clock, "monotonicMs">;
    readonly routes: readonly Route[];
  },
): NodeHandler {
  const { meters, clock, routes } = parts;
  const { httpRequests, httpSeconds, httpInflight } = meters;
  const open = new Map<string, number>();
  const buckets = new Set(routes.map(({ path }) => bucketOf(path)));
  return async (request) => {
    const bucket = bucketOf(request.path);
    const path = buckets.has(bucket) ? bucket : "other";
    const labels = {
      method: METHODS.has(request.method) ? request.method : "other",
      path,
      server_type: "readwrite",
      long_running: String(LONG.has(path)),
    };
    const key = `${labels.method} ${path}`;
    const shift = (by: number) => {
      const now = (open.get(key) ?? 0) + by;
      open.set(key, now);
      httpInflight.set(labels, now);
    };
    const startedMs = clock.monotonicMs();
    httpRequests.add(labels);
    shift(1);
    try {
      return await handler(request);
    } finally {
      shift(-1);
      httpSeconds.observe(labels, (clock.monotonicMs() - startedMs) / 1000);
    }
  };
}

function bucketOf(path: string): string {
  const [first = "", second] = path.slice(1).split("/");
  return first === "metrics" && second !== undefined && second !== ""
    ? `${first}/${second}`
    : first;
}

/**
 * Each page of metrics says for itself when the process started; called at
 * each scrape. Compat: component-base metrics.RegisterProcessStartTime.
 */
export function startTime(
  set: Pick<Metrics, "gauge">,
  usage: Pick<Usage, "own">,
): () => Promise<void> {
  const start = set.gauge(PAGE_METRICS.start);
  return async () => {
    const { startedAtMs } = await usage.own();
    start.set({}, startedAtMs / 1000);
  };
}

/** What is only known when somebody asks is found out by `refresh`. */
export function metricsRoute(
  path: string,
  set: Pick<Metrics, "text">,
  refresh: () => Promise<void> = () => Promise.resolve(),
): Route {
  return {
    path,
    methods: ["GET"],
    answer: async () => {
      await refresh();
      return typed(200, EXPOSITION, await set.text());
    },
  };
}
