import assert from "node:assert/strict";
import {
  issue,
  makeAuthority,
  type Pair,
} from "../../deploy/cluster/certificates.ts";
import { cell, type Writer } from "../base/cell.ts";
import type {
  NodeAnswer,
  NodeHandler,
  ServerIdentity,
} from "../port/node_server.ts";
import { subjectOf } from "../server/subject.ts";
import { HostNodeListener } from "./node_listener.ts";

const NODE_CA = await makeAuthority("node-ca");
const CLIENT_CA = await makeAuthority("client-ca");
const SERVER = await issue(NODE_CA, {
  commonName: "node",
  use: "server",
  hosts: ["127.0.0.1"],
});

function signed(ca: Pair, more: Partial<Parameters<typeof issue>[1]> = {}) {
  return issue(ca, { commonName: "me", use: "client", ...more });
}

/** A free port of the loopback; whoever takes it first has it. */
function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

interface Served {
  readonly url: string;
  readonly port: number;
  readonly identity: Writer<ServerIdentity>;
  get(pair?: Pair, path?: string): Promise<string>;
}

async function serving(
  handler: NodeHandler,
  work: (served: Served) => Promise<void>,
): Promise<void> {
  const port = freePort();
  const [identity, reader] = cell<ServerIdentity>({
    certificate: SERVER.certificate,
    key: SERVER.key,
    clientCa: CLIENT_CA.certificate,
  });
  const ending = new AbortController();
  const rules = { minVersion: "TLSv1.2", ciphers: [] } as const;
  const address = { host: "127.0.0.1", port, identity: reader, rules };
  const served = new HostNodeListener()
    .serve(address, handler, ending.signal);
  const url = `https://127.0.0.1:${port}`;
  try {
    await reachable(port);
    await work({
      url,
      port,
      identity,
      get: (pair, path = "/") => get(`${url}${path}`, pair),
    });
  } finally {
    ending.abort();
    await served;
  }
}

async function reachable(port: number): Promise<void> {
  for (;;) {
    try {
      const found = await Deno.connect({ hostname: "127.0.0.1", port });
      return found.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
      await turn();
    }
  }
}

/** Lets everybody else run once. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

async function get(url: string, pair?: Pair): Promise<string> {
  const client = Deno.createHttpClient({
    caCerts: [NODE_CA.certificate],
    ...pair === undefined ? {} : { cert: pair.certificate, key: pair.key },
  });
  try {
    const response = await fetch(url, { client });
    return `${response.status} ${await response.text()}`;
  } finally {
    client.close();
  }
}

const WHO: NodeHandler = ({ certificate }) =>
  Promise.resolve({
    kind: "response",
    status: 200,
    headers: [],
    body: certificate === undefined
      ? "nobody"
      : subjectOf(certificate)?.commonName ?? "?",
  });

Deno.test("S41: HostNodeListener shows a certificate only to whom it was proven", () =>
  serving(WHO, async ({ get }) => {
    assert.equal(await get(), "200 nobody");
    assert.equal(await get(await signed(CLIENT_CA)), "200 me");
    assert.equal(await get(await signed(NODE_CA)), "200 nobody");
    const odd = [{ lifetimeMs: -60_000 }, { use: "server" }] as const;
    for (const wish of odd) {
      assert.equal(await get(await signed(CLIENT_CA, wish)), "200 nobody");
    }
  }));

Deno.test("HostNodeListener trusts the CA of now, also on connections of before", () =>
  serving(WHO, async ({ url, identity }) => {
    const pair = await signed(CLIENT_CA);
    const client = Deno.createHttpClient({
      caCerts: [NODE_CA.certificate],
      cert: pair.certificate,
      key: pair.key,
    });
    const ask = async () => await (await fetch(url, { client })).text();
    try {
      assert.equal(await ask(), "me");
      const clientCa = (await makeAuthority("client-ca")).certificate;
      identity.set({ ...identity.get(), clientCa });
      await turn();
      assert.equal(await ask(), "nobody");
    } finally {
      client.close();
    }
  }));

Deno.test("HostNodeListener fails handshakes until there is a certificate, then serves", () =>
  serving(WHO, async ({ get, identity }) => {
    const { certificate, key, clientCa } = identity.get();
    identity.set({ certificate: undefined, key: undefined, clientCa });
    await turn();
    await assert.rejects(get());
    identity.set({ certificate, key, clientCa });
    await turn();
    assert.equal(await get(), "200 nobody");
  }));

Deno.test("HostNodeListener answers a failed handler with a bare 500", () =>
  serving(() => Promise.reject(new Error("secret")), async ({ get }) => {
    assert.equal(await get(), "500 Internal error\n");
  }));

Deno.test("HostNodeListener pulls an answer as fast as it is read, and ends its source", async () => {
  let made = 0;
  const ended = Promise.withResolvers<void>();
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        made++;
        yield await Promise.resolve(new Uint8Array(64 * 1024));
      }
    } finally {
      ended.resolve();
    }
  }
  const handler: NodeHandler = () =>
    Promise.resolve({
      kind: "response",
      status: 200,
      headers: [],
      body: endless(),
    });
  await serving(handler, async ({ port }) => {
    const connection = await connect(port);
    await connection.write(bytes("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    await connection.read(new Uint8Array(1024));
    // It stops by itself: sockets hold only so much.
    for (let still = 0, before = 0; still < 200; still++) {
      if (made !== before) still = 0;
      before = made;
      await turn();
    }
    assert.ok(made < 400, `${made} chunks for a caller who does not read`);
    connection.close();
    await ended.promise;
  });
});

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function connect(port: number): Promise<Deno.TlsConn> {
  return Deno.connectTls({
    hostname: "127.0.0.1",
    port,
    caCerts: [NODE_CA.certificate],
  });
}

async function readAll(connection: Deno.Conn): Promise<string> {
  let text = "";
  const chunk = new Uint8Array(16 * 1024);
  for (;;) {
    const length = await connection.read(chunk).catch(() => null);
    if (length === null) return text;
    text += new TextDecoder().decode(chunk.subarray(0, length));
  }
}

/** A runtime's server: one connection, answered by `script`. */
async function handedOver(
  script: (connection: Deno.Conn, head: string) => Promise<void>,
  caller: (connection: Deno.TlsConn) => Promise<void>,
  idleMs = 60_000,
): Promise<void> {
  const runtime = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const over = Promise.withResolvers<void>();
  const accepted = (async () => {
    const connection = await runtime.accept();
    const chunk = new Uint8Array(16 * 1024);
    const length = await connection.read(chunk) ?? 0;
    await script(
      connection,
      new TextDecoder().decode(chunk.subarray(0, length)),
    );
    connection.close();
  })();
  const answer: NodeAnswer = {
    kind: "handover",
    host: "127.0.0.1",
    port: runtime.addr.port,
    method: "POST",
    path: "/exec/token",
    headers: [["Connection", "Upgrade"], ["Upgrade", "SPDY/3.1"]],
    idleMs,
    ended: () => over.resolve(),
  };
  await serving(() => Promise.resolve(answer), async ({ port }) => {
    const connection = await connect(port);
    await connection.write(bytes(
      "POST /exec/a/b/c HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer s\r\n" +
        "Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n",
    ));
    await caller(connection);
    connection.close();
    await over.promise;
  });
  await accepted;
  runtime.close();
}

const SWITCHED =
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: SPDY/3.1\r\n\r\n";

Deno.test("handOver() passes bytes both ways, and keeps the caller's secrets", () =>
  handedOver(async (connection, head) => {
    assert.match(head, /^POST \/exec\/token HTTP\/1\.1\r\nHost: 127\.0\.0\.1:/);
    assert.doesNotMatch(head, /authorization/i);
    // The first bytes come with the head, others after it.
    await connection.write(bytes(`${SWITCHED}first `));
    const chunk = new Uint8Array(1024);
    const length = await connection.read(chunk) ?? 0;
    await connection.write(chunk.subarray(0, length));
  }, async (connection) => {
    await connection.write(bytes("echo"));
    assert.equal(await readAll(connection), `${SWITCHED}first echo`);
  }));

Deno.test("handOver() cuts a stream on which nobody says a word", () =>
  handedOver(async (connection) => {
    await connection.write(bytes(SWITCHED));
    assert.equal(await readAll(connection), "", "until the other side ends");
  }, async (connection) => {
    assert.equal(await readAll(connection), SWITCHED);
  }, 100));

Deno.test("S06: handOver() follows no redirect", () =>
  handedOver(async (connection) => {
    await connection.write(bytes(
      "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n\r\n",
    ));
  }, async (connection) => {
    const text = await readAll(connection);
    assert.match(text, /^HTTP\/1\.1 502 .*redirects/s);
    assert.doesNotMatch(text, /169\.254/);
  }));

Deno.test("handOver() passes on another answer and ends the connection", () =>
  handedOver(async (connection) => {
    await connection.write(bytes(
      "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\ngone!more",
    ));
  }, async (connection) => {
    assert.match(
      await readAll(connection),
      /^HTTP\/1\.1 404 Not Found\r\n.*gone!$/s,
    );
  }));

Deno.test("handOver() says so when the runtime answers nonsense or hangs up", async () => {
  for (const nonsense of ["", "hello\r\n\r\n", "HTTP/1.1 101"]) {
    await handedOver(async (connection) => {
      await connection.write(bytes(nonsense));
    }, async (connection) => {
      assert.match(await readAll(connection), /^HTTP\/1\.1 502 /);
    });
  }
});

/** Sends until nothing is taken for a while; `over` when it is closed. */
async function sendUntilStuck(
  connection: Deno.Conn,
): Promise<{ readonly sent: number; readonly over: Promise<void> }> {
  const chunk = new Uint8Array(64 * 1024);
  let sent = 0;
  const over = (async () => {
    while (sent < 128 << 20) sent += await connection.write(chunk);
  })().catch(() => {});
  for (let still = 0, before = -1; still < 300; still++) {
    if (sent !== before) still = 0;
    before = sent;
    await turn();
  }
  return { sent, over };
}

/** What the sockets of a machine hold of their own. */
const SOCKETS_BYTES = 24 << 20;

Deno.test("handOver() takes no more of a caller than the runtime does", async () => {
  const stuck = Promise.withResolvers<void>();
  await handedOver(async (connection) => {
    await connection.write(bytes(SWITCHED));
    await stuck.promise;
  }, async (connection) => {
    await connection.read(new Uint8Array(1024));
    const { sent } = await sendUntilStuck(connection);
    stuck.resolve();
    assert.ok(sent < SOCKETS_BYTES, `${sent} bytes that nobody reads`);
  });
});

Deno.test("HostNodeListener reads a body when it is asked for, no further than its limit", async () => {
  const asked = Promise.withResolvers<void>();
  const refused = Promise.withResolvers<void>();
  const handler: NodeHandler = async ({ body }) => {
    await asked.promise;
    if (await body(1_000_000) === undefined) refused.resolve();
    return { kind: "response", status: 200, headers: [], body: "" };
  };
  await serving(handler, async ({ port }) => {
    const connection = await connect(port);
    await connection.write(bytes(
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n",
    ));
    const { sent, over } = await sendUntilStuck(connection);
    assert.ok(sent < SOCKETS_BYTES, `${sent} bytes that nobody asked for`);
    asked.resolve();
    await refused.promise;
    connection.close();
    await over;
  });
});

Deno.test("HostNodeListener reads all of a body, and the next request", async () => {
  const handler: NodeHandler = async ({ body }) => {
    const length = (await body(10_000_000))?.length;
    return { kind: "response", status: 200, headers: [], body: `${length}` };
  };
  await serving(handler, async ({ url }) => {
    const client = Deno.createHttpClient({ caCerts: [NODE_CA.certificate] });
    for (const length of [5_000_000, 1, 2_000_000]) {
      const body = new Uint8Array(length);
      const answer = await fetch(url, { method: "POST", body, client });
      assert.equal(await answer.text(), `${length}`);
    }
    client.close();
  });
});
