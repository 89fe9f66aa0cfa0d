/** lib/kube against servers, proxies and files that misbehave. */
import assert from "node:assert/strict";
import * as net from "node:net";
import * as http from "node:http";
import { AgentError, chainOf, isAbort } from "../../lib/base/errors.ts";
import { kubeconfigs, type KubeOptions } from "../../lib/kube/open.ts";
import type { Cluster, PodNews } from "../../lib/port/cluster.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { FakeFiles } from "../fakes/fake_host.ts";
import {
  answerJson,
  FakeServer,
  kubeconfigFor,
  type Script,
} from "../fakes/fake_cluster_server.ts";
import { failure } from "./harness.ts";
import { kubeOptions } from "./cluster_real.ts";

const PATH = "/etc/kube.conf";
const LIST = { kind: "PodList", metadata: { resourceVersion: "7" }, items: [] };

interface World {
  readonly server: FakeServer;
  readonly files: FakeFiles;
  readonly cluster: Cluster;
  readonly signal: AbortSignal;
  readonly stop: () => void;
}

async function withServer(
  script: Script,
  check: (world: World) => Promise<void>,
  own: Partial<KubeOptions> & {
    readonly config?: Parameters<typeof kubeconfigFor>[1];
    readonly life?: Parameters<typeof FakeServer.open>[1];
  } = {},
): Promise<void> {
  const { config, life, ...options } = own;
  const server = await FakeServer.open(script, life);
  const files = new FakeFiles("follow");
  files.put(PATH, kubeconfigFor(server, config));
  const controller = new AbortController();
  const cluster = kubeconfigs(kubeOptions({ files, ...options }))
    .open({ path: PATH });
  const stop = () => controller.abort(new DOMException("Over", "AbortError"));
  try {
    await check({ server, files, cluster, signal: controller.signal, stop });
  } finally {
    stop();
    cluster.close();
    await server.close();
    await pass(30);
  }
}

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

Deno.test("kube reads a new token after 401 and tries once more", () => {
  const tokens: (string | undefined)[] = [];
  return withServer(
    (request, answer) => {
      const token = request.headers.authorization;
      tokens.push(token);
      if (token === "Bearer new") answerJson(answer, 200, { kind: "Node" });
      else answerJson(answer, 401, { message: "Unauthorized" });
    },
    async ({ cluster, files, signal }) => {
      files.put("/etc/token", "old\n");
      await failure(cluster.nodes.get("a", signal), "retry");
      files.put("/etc/token", "new\n");
      assert.ok(await cluster.nodes.get("a", signal));
      assert.equal(tokens.at(-1), "Bearer new");
    },
    { config: { user: { tokenFile: "token" } } },
  );
});

Deno.test("kube refuses a server that its CA has not signed", () =>
  withServer(
    (_, answer) => answerJson(answer, 200, {}),
    async ({ cluster, files, server, signal }) => {
      const other = await FakeServer.open(() => {});
      const cluster2 = {
        "certificate-authority-data": btoa(other.authority.pem),
      };
      files.put(PATH, kubeconfigFor(server, { cluster: cluster2 }));
      await other.close();
      const error = await failure(cluster.nodes.get("a", signal), "retry");
      assert.match(error.message, /not signed by the CA of the kubeconfig/);
      assert.equal(error.reason, "UntrustedServer");
      files.put(PATH, kubeconfigFor(server));
      await pass(1100);
      assert.ok(await cluster.nodes.get("a", signal));
    },
  ));

Deno.test("kube tells a certificate of the future from a wrong clock", () =>
  withServer(
    (_, answer) => answerJson(answer, 200, {}),
    async ({ cluster, signal }) => {
      const error = await failure(cluster.nodes.get("a", signal), "retry");
      assert.match(error.message, /not valid yet; the local clock says 20/);
    },
    {
      life: {
        notBeforeMs: Date.now() + 3_600_000,
        notAfterMs: Date.now() + 7_200_000,
      },
    },
  ));

Deno.test("kube compares the name that the kubeconfig expects", () =>
  withServer(
    (_, answer) => answerJson(answer, 200, {}),
    async ({ cluster, files, server, signal }) => {
      const named = (name: string) =>
        kubeconfigFor(server, { cluster: { "tls-server-name": name } });
      files.put(PATH, named("kube.test"));
      assert.ok(await cluster.nodes.get("a", signal));
      files.put(PATH, named("other.test"));
      cluster.reconnect();
      const error = await failure(cluster.nodes.get("a", signal), "retry");
      assert.equal(error.reason, "WrongName");
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

Deno.test("kube goes through a proxy, and says when it may not", async () => {
  const asked: string[] = [];
  const proxy = http.createServer();
  const sockets = new Set<net.Socket>();
  proxy.on("connect", (request, socket: net.Socket) => {
    asked.push(String(request.url));
    const [host = "", port = ""] = String(request.url).split(":");
    const onward = net.connect(Number(port), host, () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      onward.pipe(socket).pipe(onward);
    });
    sockets.add(onward);
    sockets.add(socket);
  });
  await new Promise<void>((done) => proxy.listen(0, "127.0.0.1", done));
  const address = proxy.address();
  const port = typeof address === "object" ? address?.port : 0;
  await withServer(
    (_, answer) => answerJson(answer, 200, { kind: "Node" }),
    async ({ cluster, files, server, signal }) => {
      const url = { "proxy-url": `http://127.0.0.1:${port}` };
      files.put(PATH, kubeconfigFor(server, { cluster: url }));
      assert.ok(await cluster.nodes.get("a", signal));
      assert.deepEqual(asked, [server.url.replace("https://", "")]);
      const odd = { "proxy-url": "socks5://127.0.0.1:1" };
      files.put(PATH, kubeconfigFor(server, { cluster: odd }));
      cluster.reconnect();
      const error = await failure(cluster.nodes.get("a", signal), "give-up");
      assert.match(chainOf(error), /supported are http:\/\/ and https:/);
    },
  );
  for (const socket of sockets) socket.destroy();
  await new Promise((done) => proxy.close(done));
});

Deno.test("kube asks a credential plugin once, and names one it may not run", () => {
  const runs: string[] = [];
  let isAllowed = true;
  const exec = {
    apiVersion: "client.authentication.k8s.io/v1",
    command: "aws",
    args: ["eks", "get-token"],
    provideClusterInfo: true,
    interactiveMode: "Never",
  };
  return withServer(
    (request, answer) =>
      request.headers.authorization === "Bearer from-plugin"
        ? answerJson(answer, 200, {})
        : answerJson(answer, 401, {}),
    async ({ cluster, server, signal }) => {
      assert.ok(await cluster.nodes.get("a", signal));
      assert.ok(await cluster.nodes.get("a", signal));
      assert.equal(runs.length, 1);
      assert.equal(JSON.parse(runs[0] ?? "").spec.cluster.server, server.url);
      isAllowed = false;
      const late = kubeconfigs(kubeOptions({
        files: new FakeFiles("follow"),
      })).open({ path: "/missing" });
      const error = await failure(late.nodes.get("a", signal), "give-up");
      assert.match(chainOf(error), /there is no such file/);
      late.close();
      cluster.reconnect();
      // The last good set stays, so that a broken plugin breaks nothing.
      assert.ok(await cluster.nodes.get("a", signal));
    },
    {
      config: { user: { exec } },
      programs: {
        run: ({ path, env }) => {
          assert.equal(path, "aws");
          if (!isAllowed) {
            return Promise.reject(new AgentError("no", { next: "give-up" }));
          }
          runs.push(env.get("KUBERNETES_EXEC_INFO") ?? "");
          const status = { token: "from-plugin" };
          const answer = { apiVersion: exec.apiVersion, status };
          return Promise.resolve({
            code: 0,
            stdout: JSON.stringify(answer),
            stderr: "",
          });
        },
      },
    },
  );
});

function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
