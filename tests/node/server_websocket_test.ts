/**
 * WebSockets straight to the node, as the API server passes them on: commands
 * by v5, whose input can end alone, and SPDY for ports in a tunnel.
 */
import assert from "node:assert/strict";
import { get } from "../../deploy/cluster/request.ts";
import { until, world } from "./agent_world.ts";
import {
  aContainer,
  aPod,
  apply,
  cluster,
  inPhase,
  kubectl,
  memberTest,
} from "./member_world.ts";
import { BASE, drop, grant, served, tokenOf } from "./server_world.ts";
import { anAdmin, aStranger, END_OF_INPUT, on, Talk } from "./websocket.ts";

interface Said {
  /** By channel. */
  readonly texts: ReadonlyMap<number, string>;
  readonly code: number;
  readonly protocol: string;
}

/** What a command says to this, until the node closes. */
async function command(
  client: Deno.HttpClient,
  path: string,
  messages: readonly Uint8Array<ArrayBuffer>[],
): Promise<Said> {
  const talk = new Talk(client, path);
  await talk.send(...messages);
  const code = await talk.isClosed;
  const texts = new Map([1, 2, 3].map((each) => [each, talk.said(each)]));
  return { texts, code, protocol: talk.protocol };
}

memberTest("WebSockets to the node run commands and reach ports", async () => {
  const serve = "mkdir /www; echo there > /www/x; httpd -p 8080 -h /www; ";
  await apply(aPod("web", {
    containers: [aContainer(
      `${serve} echo ready; while read l; do ` +
        "echo got $l; done; sleep 1000",
      { stdin: true },
    )],
  }));
  await inPhase("web", "Running");
  const { items: [node] } = await get<{
    items: { status: { declaredFeatures?: string[] } }[];
  }>(cluster, `/api/v1/nodes?fieldSelector=metadata.name=${world.name}`);
  assert.ok(
    node?.status.declaredFeatures?.includes("ExtendWebSocketsToKubelet"),
  );
  await served();
  const client = await anAdmin();
  try {
    const exec = "/exec/default/web/app?";
    const words = (...each: string[]) =>
      each.map((word) => `command=${encodeURIComponent(word)}`).join("&");
    const all = "&input=1&output=1&error=1";
    const cat = await command(client, exec + words("cat") + all, [
      on(0, "hello "),
      on(0, "world"),
      END_OF_INPUT,
    ]);
    assert.equal(cat.protocol, "v5.channel.k8s.io");
    assert.equal(cat.texts.get(1), "hello world");
    assert.match(cat.texts.get(3) ?? "", /"status":"Success"/);
    assert.equal(cat.code, 1000);
    const script = "echo out; echo err >&2; exit 7";
    const failing = await command(
      client,
      exec + words("sh", "-c", script) + "&output=1&error=1",
      [],
    );
    assert.deepEqual(
      [failing.texts.get(1), failing.texts.get(2)],
      ["out\n", "err\n"],
    );
    assert.match(failing.texts.get(3) ?? "", /"ExitCode","message":"7"/);
    const much = await command(
      client,
      exec + words("head", "-c", "5000000", "/dev/zero") + "&output=1",
      [],
    );
    assert.equal(much.texts.get(1)?.length, 5_000_000);
    const terminal = await command(
      client,
      exec + words("sh", "-c", "sleep 1; stty size") +
        "&input=1&output=1&tty=1",
      [on(4, '{"Width":77,"Height":33}')],
    );
    assert.match(terminal.texts.get(1) ?? "", /33 77/);
  } finally {
    client.close();
  }
  await throughTheServer();
});

/** kubectl speaks WebSocket to the API server, which passes it on. */
async function throughTheServer(): Promise<void> {
  assert.equal((await kubectl("exec", "web", "--", "echo", "hi")).trim(), "hi");
  const child = new Deno.Command("timeout", {
    args: ["-s", "KILL", "30", "kubectl", "port-forward", "web", ":8080"],
    env: { KUBECONFIG: cluster.adminKubeconfig },
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  try {
    const { value } = await reader.read();
    const told = new TextDecoder().decode(value);
    const port = /127\.0\.0\.1:(\d+) ->/.exec(told)?.[1];
    const answer = await fetch(`http://127.0.0.1:${port}/x`);
    assert.equal(await answer.text(), "there\n");
  } finally {
    child.kill("SIGKILL");
    await reader.cancel();
    await child.status;
  }
  await served();
  const client = await anAdmin();
  try {
    await until("the streams to be counted", async () => {
      const answer = await fetch(`${BASE}/metrics`, { client });
      const text = await answer.text();
      return ["exec", "portforward"].every((subresource) =>
        text.includes(
          "kubelet_websocket_streaming_requests_total" +
            `{subresource="${subresource}"} `,
        )
      );
    });
  } finally {
    client.close();
  }
}

memberTest("WebSockets to the node attach, for who may", async () => {
  const echo = "while read l; do echo got $l; done";
  await apply(aPod("talks", {
    containers: [
      aContainer(echo, { stdin: true }),
      aContainer("while read l; do stty size; done", {
        name: "terminal",
        stdin: true,
        tty: true,
      }),
      aContainer("cat; echo over; sleep 1000", {
        name: "once",
        stdin: true,
        stdinOnce: true,
      }),
    ],
  }));
  await inPhase("talks", "Running");
  const attach = (name: string) => `/attach/default/talks/${name}?`;
  const all = "input=1&output=1&error=1";
  await served();
  const client = await anAdmin();
  try {
    for (const word of ["one", "two"]) {
      // Who goes takes nothing with it.
      const talk = new Talk(client, attach("app") + all);
      await talk.send(on(0, `${word}\n`));
      await talk.heard(1, new RegExp(`^got ${word}\n$`));
      await talk.close();
    }
    const terminal = new Talk(
      client,
      `${attach("terminal")}input=1&output=1&tty=1`,
    );
    await terminal.send(on(4, '{"Width":77,"Height":33}'), on(0, "\n"));
    await terminal.heard(1, /33 77/);
    await terminal.close();
    const once = new Talk(client, attach("once") + all);
    await once.send(on(0, "said"), END_OF_INPUT);
    await once.heard(1, /^saidover\n$/);
    await once.close();
  } finally {
    client.close();
  }
  await byToken(attach("app") + all);
});

/** To attach is to create, although a WebSocket begins with a GET. */
async function byToken(path: string): Promise<void> {
  const names = { getter: "get", creator: "create" };
  const client = await aStranger();
  try {
    for (const [name, verb] of Object.entries(names)) {
      await grant(name, verb, "nodes/proxy");
      const token = await tokenOf(name);
      const authorization = `Bearer ${token}`;
      const talk = new Talk(client, path, { authorization });
      assert.equal(await talk.isOpened, name === "creator", name);
      if (name === "getter") continue;
      await talk.send(on(0, "token\n"));
      await talk.heard(1, /^got token\n$/);
      await talk.close();
    }
    const nobody = new Talk(client, path);
    assert.equal(await nobody.isOpened, false);
  } finally {
    client.close();
    await drop(Object.keys(names));
  }
}
