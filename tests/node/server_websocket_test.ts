/**
 * WebSockets straight to the node, as the API server passes them on: commands
 * by v5, whose input can end alone, and SPDY for ports in a tunnel.
 */
import assert from "node:assert/strict";
import { issue } from "../../deploy/cluster/certificates.ts";
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
import { BASE } from "./server_world.ts";

/** Of the group that may do everything. */
async function anAdmin(): Promise<Deno.HttpClient> {
  const ca = {
    certificate: await Deno.readTextFile(cluster.ca.certificate),
    key: await Deno.readTextFile(cluster.ca.key),
  };
  const { certificate: cert, key } = await issue(ca, {
    commonName: "admin",
    organization: "system:masters",
    use: "client",
  });
  return Deno.createHttpClient({ caCerts: [ca.certificate], cert, key });
}

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
  const url = `${BASE.replace("https", "wss")}${path}`;
  const protocols = ["v5.channel.k8s.io"];
  const socket = new WebSocket(url, { protocols, client });
  socket.binaryType = "arraybuffer";
  const texts = new Map<number, string>();
  const closed = Promise.withResolvers<number>();
  socket.onopen = () => messages.forEach((each) => socket.send(each));
  socket.onmessage = ({ data }) => {
    const [channel = -1, ...bytes] = new Uint8Array(data);
    const said = new TextDecoder("latin1").decode(Uint8Array.from(bytes));
    texts.set(channel, (texts.get(channel) ?? "") + said);
  };
  socket.onclose = ({ code }) => closed.resolve(code);
  const code = await closed.promise;
  return { texts, code, protocol: socket.protocol };
}

function on(channel: number, text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array([channel, ...new TextEncoder().encode(text)]);
}
const END_OF_INPUT = Uint8Array.of(255, 0);

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
