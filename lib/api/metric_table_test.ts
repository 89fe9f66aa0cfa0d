import assert from "node:assert/strict";
import { createMetrics } from "../base/metrics.ts";
import { METRICS } from "./metric_table.ts";
import { PROBE_METRICS, SLI_METRICS } from "./metric_table_node.ts";
import { QUIET_METRICS } from "./metric_table_quiet.ts";
import { createMeters } from "./meters.ts";

const ALL = [METRICS, PROBE_METRICS, SLI_METRICS]
  .flatMap((table) => Object.entries(table));

Deno.test("METRICS names each metric once, in Prometheus' letters", () => {
  const names = ALL.map(([, { name }]) => name);
  assert.deepEqual(names, [...new Set(names)]);
  for (const [, { name, labels, help }] of ALL) {
    assert.match(name, /^[a-z][a-z0-9_]*$/);
    for (const label of labels) assert.match(label, /^[a-z][a-z_]*$/);
    assert.notEqual(help, "");
  }
});

Deno.test("METRICS has ascending buckets", () => {
  for (const [, spec] of ALL) {
    if (spec.type !== "histogram") continue;
    const sorted = [...spec.buckets].sort((a, b) => a - b);
    assert.deepEqual([...spec.buckets], sorted, spec.name);
  }
});

Deno.test("createMeters() has a handle for each row, of its type", async () => {
  const metrics = createMetrics();
  const meters = createMeters(metrics);
  const { set: _, ...handles } = meters;
  assert.deepEqual(
    Object.keys(handles).sort(),
    Object.keys(METRICS).sort(),
  );
  const text = await metrics.text();
  for (const { name, type } of Object.values(METRICS)) {
    assert.ok(text.includes(`# TYPE ${name} ${type}\n`), name);
  }
});

Deno.test("createMeters() shows what stays at zero from the start", async () => {
  const metrics = createMetrics();
  createMeters(metrics);
  const text = await metrics.text();
  for (const { name, type } of QUIET_METRICS) {
    assert.ok(text.includes(`# TYPE ${name} ${type}\n${name} 0\n`), name);
  }
});
