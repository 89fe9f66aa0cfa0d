/**
 * `/metrics/slis`: whether each health check passes now, and how often it did.
 * Each scrape is a look. Compat: kubelet 1.36 slis.ObserveHealthcheck.
 */
import { createMetrics } from "../base/metrics.ts";
import { SLI_METRICS } from "../api/metric_table_node.ts";
import type { HealthCheck } from "./health.ts";
import type { Usage } from "../port/usage.ts";
import { metricsRoute, startTime } from "./http_metrics.ts";
import type { Route } from "./node_routes.ts";

export function sliRoute(
  checks: readonly HealthCheck[],
  usage: Pick<Usage, "own">,
): Route {
  const metrics = createMetrics();
  const tellStart = startTime(metrics, usage);
  const now = metrics.gauge(SLI_METRICS.healthcheck);
  const total = metrics.counter(SLI_METRICS.healthchecks);
  return metricsRoute("/metrics/slis", metrics, async () => {
    await tellStart();
    for (const { name, check } of [PING, ...checks]) {
      const isWell = check() === undefined;
      const labels = { name, type: "healthz" };
      now.set(labels, isWell ? 1 : 0);
      total.add({ ...labels, status: isWell ? "success" : "error" });
    }
  });
}

const PING: HealthCheck = { name: "ping", check: () => undefined };
