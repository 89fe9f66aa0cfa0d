import assert from "node:assert/strict";
import * as http from "node:http";
import { setTimeout } from "node:timers/promises";
import { listening } from "../../tests/listen.ts";
import type { Secrets } from "./credentials.ts";
import { agentFor } from "./dial.ts";
import { parseKubeconfig } from "./translate_kubeconfig.ts";

const IDLE_MS = 200;

/** A server that takes its time, and counts who is connected. */
async function aServer() {
  const open = new Set<object>();
  const server = http.createServer(async (_request, answer) => {
    answer.write("some of it, ");
    await setTimeout(2 * IDLE_MS);
    answer.end("and the rest");
  });
  server.on("connection", (socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
  });
  const port = await listening(server);
  return { server, open, url: `http://127.0.0.1:${port}` };
}

function secretsFor(server: string): Secrets {
  const kubeconfig = JSON.stringify({
    "current-context": "one",
    contexts: [{ name: "one", context: { cluster: "one", user: "one" } }],
    clusters: [{ name: "one", cluster: { server } }],
    users: [{ name: "one", user: {} }],
  });
  return {
    access: parseKubeconfig(kubeconfig, "kubelet.conf"),
    ...{ ca: undefined, certificate: undefined, key: undefined },
    authorization: undefined,
  };
}

function ask(url: string, agent: http.Agent): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  http.get(url, { agent }, async (answer) => {
    const parts: string[] = [];
    for await (const part of answer) parts.push(`${part}`);
    resolve(parts.join(""));
  }).once("error", reject);
  return promise;
}

Deno.test("agentFor() keeps the connections of a burst for the next one, and none at rest", async () => {
  const { server, open, url } = await aServer();
  const agent = agentFor(secretsFor(url), 6, IDLE_MS);
  try {
    for (const round of ["first", "second"]) {
      const said = await Promise.all(
        Array.from({ length: 12 }, () => ask(url, agent)),
      );
      // None is cut short for the silence in its middle.
      assert.deepEqual([...new Set(said)], ["some of it, and the rest"]);
      assert.equal(open.size, 6, `after the ${round} burst`);
    }
    const deadlineMs = performance.now() + 10_000;
    while (open.size > 0 && performance.now() < deadlineMs) {
      await setTimeout(20);
    }
    assert.equal(open.size, 0, "at rest");
  } finally {
    agent.destroy();
    server.closeAllConnections();
    server.close();
  }
});
