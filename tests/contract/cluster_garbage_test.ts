/** lib/kube against servers, proxies and files that misbehave. */
import assert from "node:assert/strict";
import type * as http from "node:http";
import { isAbort } from "../../lib/base/errors.ts";
import type { PodNews } from "../../lib/port/cluster.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { answerJson } from "../fakes/fake_cluster_server.ts";
import { failure } from "./harness.ts";
import { pass, withServer, type World } from "./cluster_bad_server.ts";

const LIST = { kind: "PodList", metadata: { resourceVersion: "7" }, items: [] };

/** A clock whose waits are over at once, and told. */
function hasty(waits: number[]) {
  return {
    ...systemClock,
    sleep: (ms: number, signal: AbortSignal) => {
      waits.push(ms);
      return systemClock.sleep(Math.min(ms, 5), signal);
    },
  };
}

/** Follows a watch until `isDone`; what it told. */
async function newsOf(
  world: World,
  isDone: (news: readonly PodNews[]) => boolean,
): Promise<readonly PodNews[]> {
  const told: PodNews[] = [];
  for await (const news of world.cluster.pods.watch("a", world.signal)) {
    told.push(news);
    if (isDone(told)) break;
  }
  return told;
}

function isWatch(request: http.IncomingMessage): boolean {
  return request.url?.includes("watch=true") === true;
}

Deno.test("kube says what is wrong with an answer that is no JSON", () =>
  withServer(
    (_, answer) => answer.writeHead(200).end("<html>hello"),
    async ({ cluster, signal }) => {
      const error = await failure(cluster.nodes.get("a", signal), "retry");
      assert.match(error.message, /is not JSON.*<html>hello/);
    },
  ));

Deno.test("kube passes the server's words on, and what to do next", () =>
  withServer(
    (_, answer) =>
      answerJson(answer, 422, { kind: "Status", message: "no such field" }),
    async ({ cluster, signal }) => {
      const error = await failure(cluster.nodes.get("a", signal), "give-up");
      assert.match(error.message, /Cannot get node a: no such field/);
    },
  ));

Deno.test("kube waits as long as Retry-After says, then goes on", () => {
  const waits: number[] = [];
  let count = 0;
  return withServer(
    (_, answer) => {
      if (count++ === 0) {
        answer.writeHead(429, { "retry-after": "7" }).end();
      } else answerJson(answer, 200, { kind: "Node" });
    },
    async ({ cluster, signal }) => {
      const node = await cluster.nodes.get("a", signal);
      assert.equal(node?.kind, "Node");
      assert.deepEqual(waits, [7000]);
    },
    { clock: hasty(waits) },
  );
});

Deno.test("kube stops reading what is too long for an answer", () =>
  withServer(
    (request, answer) => {
      answer.writeHead(200);
      const isObject = request.url?.endsWith("a") === true;
      const text = (isObject ? "{" : " ").padEnd(1 << 20, " ");
      for (let mb = 0; mb < 40; mb++) answer.write(text);
    },
    async ({ cluster, signal }) => {
      const long = await failure(cluster.nodes.get("a", signal), "retry");
      assert.match(long.message, /longer than 16777216 bytes: "\{ /);
      const page = await failure(cluster.nodes.get("b", signal), "retry");
      assert.match(page.message, /longer than 65536 bytes/);
    },
  ));

Deno.test("kube gives a slow answer up at the deadline", () =>
  withServer(
    (_, answer) => answer.writeHead(200).write('{"kind":'),
    async ({ cluster, signal }) => {
      const error = await failure(cluster.nodes.get("a", signal), "retry");
      assert.match(error.message, /deadline of 0.2 s passed/);
    },
    {
      limits: {
        kubeAPIQPS: 50,
        kubeAPIBurst: 100,
        eventRecordQPS: 50,
        eventBurst: 100,
        heartbeatTimeoutMs: 200,
      },
    },
  ));

Deno.test("kube watches past cut chunks, and keeps names like __proto__", () =>
  withServer(
    (request, answer) => {
      if (!isWatch(request)) return answerJson(answer, 200, LIST);
      const pod = `{"metadata":{"name":"ö","resourceVersion":"8",` +
        `"labels":{"__proto__":"x"}},"spec":{"n":9007199254740993}}`;
      const bytes = new TextEncoder().encode(
        `{"type":"ADDED","object":${pod}}\n`,
      );
      answer.writeHead(200);
      for (const byte of bytes) answer.write(Uint8Array.of(byte));
    },
    async (world) => {
      const [, news] = await newsOf(world, (told) => told.length === 2);
      assert.ok(news?.kind === "changed");
      assert.equal(news.pod.metadata?.name, "ö");
      const labels = news.pod.metadata?.labels ?? {};
      assert.ok(Object.hasOwn(labels, "__proto__"));
      assert.equal(Object(news.pod.spec).n, "9007199254740993");
    },
  ));

Deno.test("kube lists again after garbage, a gap (410) and a cut line", () => {
  const bodies = [
    "what is this?\n",
    '{"type":"ERROR","object":{"code":410,"message":"too old"}}\n',
    '{"type":"ADDED","object":{"metadata":{',
  ];
  const waits: number[] = [];
  return withServer(
    (request, answer) => {
      if (!isWatch(request)) return answerJson(answer, 200, LIST);
      const body = bodies.shift();
      answer.writeHead(200);
      if (body === undefined) answer.flushHeaders();
      else answer.end(body);
    },
    async (world) => {
      const count = (told: readonly PodNews[]) =>
        told.filter(({ kind }) => kind === "listed").length;
      const told = await newsOf(world, (each) => count(each) === 4);
      const silences = told.filter((news) => news.kind === "silent");
      assert.match(JSON.stringify(silences), /too old/);
      assert.match(JSON.stringify(silences), /middle of a line/);
      assert.ok((waits[0] ?? 0) < 100 && (waits[1] ?? 0) >= 600);
      assert.ok((waits[2] ?? 0) > (waits[1] ?? 0));
    },
    {
      clock: hasty(waits),
      random: { fraction: () => 0.25, hex: (n) => "0".repeat(n) },
    },
  );
});

Deno.test("kube dials anew when a watch is silent for too long", () => {
  const versions: (string | null)[] = [];
  return withServer(
    (request, answer) => {
      if (!isWatch(request)) return answerJson(answer, 200, LIST);
      const url = new URL(request.url ?? "", "https://x");
      versions.push(url.searchParams.get("resourceVersion"));
      answer.writeHead(200);
      answer.write(
        '{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}}\n',
      );
    },
    async (world) => {
      const told = newsOf(world, () => false);
      while (versions.length < 3) await pass(20);
      world.stop();
      await assert.rejects(told, (error) => isAbort(error, world.signal));
      assert.deepEqual(versions.slice(0, 3), ["7", "9", "9"]);
    },
    { silenceMs: 100, clock: hasty([]) },
  );
});
