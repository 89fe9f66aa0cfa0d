/**
 * Counts what is asked of the node's API, in few series whatever is sent.
 * Compat: kubelet 1.36 getMetricBucket, getMetricMethodBucket
 */
import type { Clock } from "../base/clock.ts";
import type { Metrics } from "../base/metrics.ts";
import type { NodeHandler } from "../port/node_server.ts";
import { typed } from "./node_answer.ts";
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
const LABELS = ["method", "path", "server_type", "long_running"] as const;

export function counted(
  handler: NodeHandler,
  parts: {
    readonly metrics: Metrics;
    readonly clock: Pick<Clock, "monotonicMs">;
    readonly routes: readonly Route[];
  },
): NodeHandler {
  const { metrics, clock, routes } = parts;
  const total = metrics.counter({
    name: "kubelet_http_requests_total",
    help: "Number of the http requests received since the server started",
    labels: LABELS,
  });
  const seconds = metrics.histogram({
    name: "kubelet_http_requests_duration_seconds",
    help: "Duration in seconds to serve http requests",
    labels: LABELS,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  });
  const inflight = metrics.gauge({
    name: "kubelet_http_inflight_requests",
    help: "Number of the inflight http requests",
    labels: LABELS,
  });
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
      inflight.set(labels, now);
    };
    const startedMs = clock.monotonicMs();
    total.add(labels);
    shift(1);
    try {
      return await handler(request);
    } finally {
      shift(-1);
      seconds.observe(labels, (clock.monotonicMs() - startedMs) / 1000);
    }
  };
}

function bucketOf(path: string): string {
  const [first = "", second] = path.slice(1).split("/");
  return first === "metrics" && second !== undefined && second !== ""
    ? `${first}/${second}`
    : first;
}

/** The texts of several sets, one after another. */
export function metricsRoute(path: string, sets: readonly Metrics[]): Route {
  return {
    path,
    methods: ["GET"],
    answer: async () => {
      const texts = await Promise.all(sets.map((each) => each.text()));
      const type = "text/plain; version=0.0.4; charset=utf-8";
      return typed(200, type, texts.join(""));
    },
  };
}
