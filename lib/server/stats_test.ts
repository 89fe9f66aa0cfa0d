import assert from "node:assert/strict";
import { systemClock } from "../base/clock.ts";
import { silentLogger } from "../base/log.ts";
import type { NodeRequest } from "../port/node_server.ts";
import { aSample, someDisks, someFigures } from "../stats/fixture_test.ts";
import type { Figures } from "../stats/types.ts";
import { statsRoutes } from "./stats.ts";

const SERVING = new AbortController();

function asked(
  figures: () => Promise<Figures>,
): (path: string, query?: Record<string, string>) => Promise<string> {
  const routes = statsRoutes({
    stats: { figures, disks: () => Promise.resolve(someDisks()) },
    clock: systemClock,
    log: silentLogger,
    serving: SERVING.signal,
    node: () =>
      Promise.resolve({
        nodeName: "node-1",
        startedAtMs: 0,
        system: [{ name: "kubelet", sample: aSample("/own") }],
        memoryBytes: 8n,
        swapBytes: 0n,
      }),
    machine: () =>
      Promise.resolve({
        ...{ machineId: "", systemUuid: "", bootId: "", kernelVersion: "" },
        ...{ osImage: "", version: "", cores: 2, memoryBytes: 8n },
        ...{ swapBytes: 0n, bootedAtMs: 0 },
      }),
  });
  return async (path, query = {}) => {
    const request: NodeRequest = {
      method: "GET",
      path,
      query: new Map(Object.entries(query).map(([k, v]) => [k, [v]])),
      headers: new Map(),
      certificate: undefined,
      remote: "",
      isUpgrade: false,
      signal: SERVING.signal,
      body: () => Promise.resolve(undefined),
    };
    const user = { name: "a", uid: "", groups: [], extra: new Map() };
    const route = routes.find((each) => each.path === path);
    const answer = await route?.answer({ request, user, params: new Map() });
    assert.ok(answer?.kind === "response" && answer.status === 200);
    const { body } = answer;
    assert.ok(typeof body !== "string" && !(body instanceof Uint8Array));
    let text = "";
    for await (const chunk of body) text += new TextDecoder().decode(chunk);
    return text;
  };
}

const well = asked(() => Promise.resolve(someFigures()));
const ill = asked(() => Promise.reject(new Error("no cgroups")));

for (
  const [word, isShort] of [
    ["true", true],
    ["1", true],
    ["false", false],
    ["", false],
    ["nonsense", false],
  ] as const
) {
  Deno.test(`statsRoutes() take only_cpu_and_memory=${word}`, async () => {
    const text = await well("/stats/summary", { only_cpu_and_memory: word });
    assert.equal(JSON.parse(text).node.fs === undefined, isShort);
  });
}

Deno.test("statsRoutes() tell a failed look as a scrape error", async () => {
  assert.match(await ill("/metrics/resource"), /resource_scrape_error 1\n/);
  assert.match(await ill("/metrics/cadvisor"), /container_scrape_error 1\n/);
  assert.match(await ill("/metrics/cadvisor"), /machine_cpu_cores\{/);
  await assert.rejects(ill("/stats/summary"), /no cgroups/);
});

Deno.test("statsRoutes() tell the same figures everywhere", async () => {
  assert.match(
    await well("/metrics/resource"),
    /pod_cpu_usage_seconds_total\{namespace="default",pod="web"\} 1 /,
  );
  assert.match(
    await well("/metrics/cadvisor"),
    /container_cpu_usage_seconds_total\{container="app",/,
  );
  const { pods } = JSON.parse(await well("/stats/summary"));
  assert.equal(pods[0].podRef.name, "web");
});
