import assert from "node:assert/strict";
import { familyText } from "./exposition.ts";
import { AT_MS, someFigures } from "./fixture_test.ts";
import { resourceFamilies } from "./resource.ts";

const text = (...of: Parameters<typeof resourceFamilies>) =>
  resourceFamilies(...of).map(familyText).join("");

const OF_APP = 'container="app",namespace="default",pod="web"';
const OF_POD = 'namespace="default",pod="web"';

Deno.test("resourceFamilies() tells what metrics-server reads", () => {
  const lines = text(someFigures()).split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  assert.deepEqual(lines, [
    `node_cpu_usage_seconds_total 9007199254.740993 ${AT_MS}`,
    `node_memory_working_set_bytes 1000000 ${AT_MS}`,
    `node_swap_usage_bytes 0 ${AT_MS}`,
    `container_cpu_usage_seconds_total{${OF_APP}} 1 ${AT_MS}`,
    `container_memory_working_set_bytes{${OF_APP}} 1000000 ${AT_MS}`,
    `container_start_time_seconds{${OF_APP}} ${(AT_MS - 60_500) / 1000}`,
    `container_swap_usage_bytes{${OF_APP}} 0 ${AT_MS}`,
    `pod_cpu_usage_seconds_total{${OF_POD}} 1 ${AT_MS}`,
    `pod_memory_working_set_bytes{${OF_POD}} 1000000 ${AT_MS}`,
    `pod_swap_usage_bytes{${OF_POD}} 0 ${AT_MS}`,
    "resource_scrape_error 0",
  ]);
});

Deno.test("resourceFamilies() has the kubelet's heads", () => {
  const heads = text(someFigures()).split("\n")
    .filter((line) => line.startsWith("# "));
  assert.deepEqual(heads.slice(0, 2), [
    "# HELP node_cpu_usage_seconds_total [STABLE] Cumulative cpu time " +
    "consumed by the node in core-seconds",
    "# TYPE node_cpu_usage_seconds_total counter",
  ]);
});

Deno.test("resourceFamilies() tells a failure, and no figures", () => {
  assert.match(text(undefined), /\nresource_scrape_error 1\n$/);
  assert.doesNotMatch(text(undefined), /cpu/);
});
