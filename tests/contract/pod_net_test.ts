/** The contract of `PodNet` on the fake and on loopback, and hostile servers. */
import assert from "node:assert/strict";
import { openHealth } from "../../lib/cri/health.ts";
import { selfSigned } from "../../lib/identity/x509.ts";
import { systemKeys } from "../../lib/kube/open.ts";
import { hostPodNet } from "../../lib/host/pod_net.ts";
import { FakeClock } from "../fakes/fake_clock.ts";
import { FakePodNet } from "../fakes/fake_pod_net.ts";
import { podNetContract, type PodNetWorld } from "./pod_net_contract.ts";
import { type PodServer, say, servePod, serveRaw } from "./pod_server.ts";

const HOST = "127.0.0.1";
const real = { ...hostPodNet, ...openHealth() };

podNetContract("fake", openFake);
podNetContract("real", openReal);

function openFake(): Promise<PodNetWorld> {
  const clock = new FakeClock();
  const net = new FakePodNet(clock);
  let port = 8000;
  return Promise.resolve({
    net,
    serve(behaviour) {
      port++;
      if (behaviour !== "nobody") net.put(HOST, port, behaviour);
      return Promise.resolve({ host: HOST, port });
    },
    arrived(port) {
      const last = net.arrived.get(`${HOST}:${port}`)?.at(-1);
      return last && new Map(
        last.headers.map(([name, value]) => [name.toLowerCase(), value]),
      );
    },
    async over(work) {
      work.catch(() => undefined);
      await clock.advance(1000);
      return await work;
    },
    close: () => Promise.resolve(),
  });
}

function openReal(): Promise<PodNetWorld> {
  const servers = new Map<number, PodServer>();
  return Promise.resolve({
    net: real,
    async serve(behaviour) {
      if (behaviour === "nobody") return { host: HOST, port: closedPort() };
      const server = await servePod(behaviour);
      servers.set(server.port, server);
      return { host: HOST, port: server.port };
    },
    arrived(port) {
      const head = servers.get(port)?.request();
      return head === undefined ? undefined : headersOf(head);
    },
    over: (work) => work,
    async close() {
      for (const server of servers.values()) await server.close();
    },
  });
}

function closedPort(): number {
  const listener = Deno.listen({ hostname: HOST, port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

function headersOf(head: string): ReadonlyMap<string, string> {
  return new Map(
    head.split("\r\n").slice(1).flatMap((line) => {
      const colon = line.indexOf(":");
      return colon < 0
        ? []
        : [[line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]];
    }),
  );
}

const signal = new AbortController().signal;

/** What a server sends byte for byte, and what is made of it. */
const ANSWERS: readonly [string, string, number | RegExp, string?][] = [
  [
    "chunks",
    "HTTP/1.1 200 K\r\nTransfer-Encoding: chunked\r\n\r\n" +
    "3\r\nabc\r\n2;x=1\r\nde\r\n0\r\n\r\n",
    200,
    "abcde",
  ],
  ["a status without words", "HTTP/1.0 200\r\n\r\nall", 200, "all"],
  ["an answer of HTTP/1.0", "HTTP/1.0 200 K\r\n\r\nall", 200, "all"],
  ["bare newlines", "HTTP/1.1 200 K\nContent-Length: 2\n\nok", 200, "ok"],
  ["100 Continue first", "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 404 N\r\n\r\n", 404],
  ["no body where none may be", "HTTP/1.1 204 N\r\n\r\n", 204, ""],
  ["garbage", "hello world\r\n\r\n", /malformed HTTP status code "world"/],
  ["half a head", "HTTP/1.1 200 K\r\nContent-Le", /missing colon/],
  [
    "a body cut short",
    "HTTP/1.1 200 K\r\nContent-Length: 9\r\n\r\nabc",
    /^unexpected EOF$/,
  ],
  [
    "broken chunks",
    "HTTP/1.1 200 K\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    /^invalid byte in chunk length$/,
  ],
  [
    "a redirect by another scheme",
    "HTTP/1.1 302 F\r\nLocation: ftp://127.0.0.1/\r\n\r\n",
    /^Get "ftp:\/\/127\.0\.0\.1\/": unsupported protocol scheme "ftp"$/,
  ],
  [
    "a redirect to what is no address",
    "HTTP/1.1 302 F\r\nLocation: http://[\r\n\r\n",
    /failed to parse Location header/,
  ],
];

for (const [what, text, expected, body] of ANSWERS) {
  Deno.test(`hostPodNet reads ${what}`, async () => {
    const server = serveRaw((connection) => say(connection, text));
    try {
      const work = real.get(request(server.port), signal);
      if (typeof expected !== "number") {
        await assert.rejects(work, { message: expected });
        return;
      }
      const answer = await work;
      assert.equal(answer.status, expected);
      if (body !== undefined) {
        assert.equal(new TextDecoder().decode(answer.body), body);
      }
    } finally {
      await server.close();
    }
  });
}

const ENDLESS: readonly [string, string, string][] = [
  ["headers", "HTTP/1.1 200 K\r\n", `X-A: ${"a".repeat(8000)}\r\n`],
  ["a header line", "HTTP/1.1 200 K\r\nX-A: ", "a".repeat(64_000)],
  ["informational answers", "", "HTTP/1.1 103 E\r\n\r\n".repeat(500)],
];

for (const [what, first, more] of ENDLESS) {
  Deno.test(`hostPodNet bears a server that sends ${what} for ever`, async () => {
    let sent = 0;
    const server = serveRaw(async (connection) => {
      await say(connection, first);
      for (;;) {
        await say(connection, more);
        sent += more.length;
      }
    });
    try {
      const work = real.get(
        { ...request(server.port), timeoutMs: 2000 },
        signal,
      );
      await assert.rejects(work, { name: "AgentError" });
      assert.ok(sent < 64 * 1024 * 1024, `${sent} bytes were read`);
    } finally {
      await server.close();
    }
  });
}

Deno.test("hostPodNet bears a body without an end", async () => {
  let sent = 0;
  const server = serveRaw(async (connection) => {
    await say(connection, "HTTP/1.1 200 K\r\n\r\n");
    const more = "b".repeat(64_000);
    for (;;) {
      await say(connection, more);
      sent += more.length;
    }
  });
  try {
    const answer = await real.get(request(server.port), signal);
    assert.equal(answer.body.length, 10_240);
    assert.ok(sent < 32 * 1024 * 1024, `${sent} bytes were read`);
  } finally {
    await server.close();
  }
});

Deno.test("hostPodNet sends nothing that breaks its own lines", async () => {
  const server = serveRaw((connection) =>
    say(connection, "HTTP/1.1 200 K\r\n\r\n")
  );
  try {
    const headers = [["X-A", "a\r\nX-B: b"]] as const;
    const work = real.get({ ...request(server.port), headers }, signal);
    await assert.rejects(work, { message: /invalid header field value/ });
    assert.equal(server.request(), undefined);
  } finally {
    await server.close();
  }
});

Deno.test("hostPodNet takes any certificate, and tells plain text from TLS", async () => {
  const keys = await systemKeys.create();
  const pair = await selfSigned(
    { commonName: "nobody", dnsNames: ["elsewhere.example"], ips: [] },
    keys,
    { notBeforeMs: 0, notAfterMs: 1, serialNumber: "1" },
  );
  const { certificate: cert, key } = pair;
  const listener = Deno.listenTls({ hostname: HOST, port: 0, cert, key });
  const answering = (async () => {
    const connection = await listener.accept();
    await connection.read(new Uint8Array(4096));
    await say(connection, "HTTP/1.1 202 K\r\n\r\nsecret");
    connection.close();
  })();
  const plain = serveRaw((connection) =>
    say(connection, "HTTP/1.1 400 N\r\n\r\n")
  );
  const mute = await servePod({ kind: "silent" });
  try {
    const https = (port: number) =>
      real.get({ ...request(port), scheme: "https" }, signal);
    const answer = await https(listener.addr.port);
    assert.equal(answer.status, 202);
    assert.equal(new TextDecoder().decode(answer.body), "secret");
    await assert.rejects(https(plain.port), {
      reason: "PlainHttp",
      message: /": http: server gave HTTP response to HTTPS client$/,
    });
    await assert.rejects(https(mute.port), { reason: "TimedOut" });
    await assert.rejects(https(closedPort()), {
      message: /: connect: connection refused$/,
    });
    await answering;
  } finally {
    listener.close();
    await plain.close();
    await mute.close();
  }
});

Deno.test("PodNet asks for health as kube-probe", async () => {
  const services = new Map([["", "SERVING"]]);
  const server = await servePod({ kind: "grpc", services });
  try {
    const target = { host: HOST, port: server.port, timeoutMs: 2000 };
    await real.health({ ...target, service: "" }, signal);
    assert.match(server.request() ?? "", /^user-agent: kube-probe\/1\.36 /);
  } finally {
    await server.close();
  }
});

function request(port: number) {
  return {
    scheme: "http",
    host: HOST,
    port,
    path: "/",
    headers: [],
    timeoutMs: 500,
    limitBytes: 10_240,
  } as const;
}

Deno.test("PodNet (real) does not count the time by which it was late itself", async () => {
  const server = await servePod({ kind: "http", status: 200 });
  try {
    const asked = real.get({
      scheme: "http",
      host: HOST,
      port: server.port,
      path: "/",
      headers: [],
      timeoutMs: 100,
      limitBytes: 1024,
    }, new AbortController().signal);
    const untilMs = performance.now() + 400;
    while (performance.now() < untilMs);
    assert.equal((await asked).status, 200);
  } finally {
    await server.close();
  }
});
