/** lib/kube and what it shows servers: tokens, certificates, plugins, proxies. */
import assert from "node:assert/strict";
import * as net from "node:net";
import * as http from "node:http";
import { AgentError, chainOf } from "../../lib/base/errors.ts";
import { kubeconfigs } from "../../lib/kube/open.ts";
import { FakeFiles } from "../fakes/fake_host.ts";
import { listening } from "../listen.ts";
import {
  answerJson,
  FakeServer,
  kubeconfigFor,
} from "../fakes/fake_cluster_server.ts";
import { failure } from "./harness.ts";
import { kubeOptions } from "./cluster_real.ts";
import { pass, PATH, withServer } from "./cluster_bad_server.ts";

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
  const port = await listening(proxy);
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
