/**
 * Floods of the node's own API on a real node: slow, endless, many and odd
 * requests. Everybody else is answered at once, memory stays, nobody crashes.
 */
import assert from "node:assert/strict";
import { issue } from "../../deploy/cluster/certificates.ts";
import { agentPids } from "../../deploy/world/agent.ts";
import { agentLog, world } from "./agent_world.ts";
import {
  aContainer,
  aPod,
  apply,
  cluster,
  kubectl,
  memberTest,
  ready,
} from "./member_world.ts";
import { asking, type Caller, raw, served } from "./server_world.ts";

/** Of the group that may do everything; needs no role. */
async function admin(): Promise<Caller> {
  const ca = {
    certificate: await Deno.readTextFile(cluster.ca.certificate),
    key: await Deno.readTextFile(cluster.ca.key),
  };
  const pair = await issue(ca, {
    commonName: "admin",
    organization: "system:masters",
    use: "client",
  });
  return { pair };
}

async function residentMiB(): Promise<number> {
  const [pid] = await agentPids(world);
  const text = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/VmRSS:\s+(\d+)/.exec(text)?.[1]) / 1024;
}

async function connect(alpnProtocols?: string[]): Promise<Deno.TlsConn> {
  return await Deno.connectTls({
    hostname: cluster.nodeIp,
    port: cluster.ports.kubelet,
    caCerts: [await Deno.readTextFile(cluster.ca.certificate)],
    ...alpnProtocols === undefined ? {} : { alpnProtocols },
  });
}

/** What comes until the other side ends it, or nothing comes. */
async function ends(connection: Deno.TlsConn): Promise<void> {
  const chunk = new Uint8Array(16 * 1024);
  while (await connection.read(chunk).catch(() => null) !== null);
}

/** Sends as much as is taken, up to `mostBytes`; how much that was. */
async function pour(head: string, mostBytes: number): Promise<number> {
  const connection = await connect();
  const drained = ends(connection);
  let sent = 0;
  try {
    await connection.write(new TextEncoder().encode(head));
    const chunk = new Uint8Array(64 * 1024).fill(0x61);
    while (sent < mostBytes) sent += await connection.write(chunk);
  } catch (error) {
    assert.match(String(error), /reset|pipe|closed|abort|EOF|peer/i);
  } finally {
    connection.close();
    await drained;
  }
  return sent;
}

memberTest(
  "S10 S32 S33 floods of requests cost no memory and no time of others",
  async () => {
    await served();
    const caller = await admin();
    const h2 = await connect(["h2", "http/1.1"]);
    assert.equal((await h2.handshake()).alpnProtocol, "http/1.1", "S32");
    h2.close();
    const mark = (await agentLog()).length;
    const beforeMiB = await residentMiB();
    const slow = await Promise.all(
      Array.from({ length: 200 }, () => connect()),
    );
    const head = new TextEncoder().encode("GET /pods HTTP/1.1\r\nX: ");
    for (const each of slow) await each.write(head);
    await asking(caller, async (ask) => {
      const times: number[] = [];
      for (let at = 0; at < 300; at++) {
        const startMs = performance.now();
        const { status } = await ask("GET", `/odd/${at}?${"x".repeat(2000)}`);
        times.push(performance.now() - startMs);
        assert.equal(status, 404);
      }
      times.sort((one, other) => one - other);
      const p99Ms = times[Math.floor(times.length * 0.99)] ?? 0;
      assert.ok(p99Ms < 1_000, `99 of 100 within ${p99Ms} ms`);
    });
    const lengths = [
      `Content-Length: ${2 ** 40}\r\n\r\n`,
      "Transfer-Encoding: chunked\r\n\r\nfffffffff\r\n",
    ];
    for (const length of lengths) {
      await pour(`POST /run/a/b/c HTTP/1.1\r\nHost: x\r\n${length}`, 100 << 20);
    }
    const grownMiB = await residentMiB() - beforeMiB;
    assert.ok(grownMiB < 64, `${grownMiB} MiB more`);
    console.info(`grown by ${Math.round(grownMiB)} MiB`);
    // Whoever never finished asking is cut off.
    await Promise.all(slow.map(async (each) => {
      await ends(each);
      each.close();
    }));
    assert.doesNotMatch(await agentLog(mark), /Uncaught/);
  },
);

/** What the kubelet says to what makes no sense. */
const ODD: readonly (readonly [string, string, number])[] = [
  ["GET", "/containerLogs/default/nobody/app", 404],
  ["GET", "/containerLogs/default/web/nobody", 404],
  ["GET", "/containerLogs/default/web/app?tailLines=x", 400],
  ["GET", "/containerLogs/default/web/app?tailLines=-1", 422],
  ["GET", "/containerLogs/default/web/app?limitBytes=0", 422],
  ["GET", "/containerLogs/default/web/app?sinceSeconds=0", 422],
  ["GET", "/containerLogs/default/web/__proto__", 404],
  ["POST", "/exec/default/nobody/app?command=id&output=1", 404],
  ["POST", "/exec/default/web/app?command=id", 400],
  ["POST", "/attach/default/nobody/app?output=1", 404],
  ["POST", "/portForward/default/nobody", 404],
  ["POST", "/run/default/nobody/app?cmd=id", 404],
  ["POST", "/run/default/web/nobody?cmd=id", 500],
  ["POST", "/checkpoint/default/nobody/app", 404],
  ["POST", "/checkpoint/default/web/nobody", 404],
  ["GET", "/logs/link", 404],
  ["GET", "/constructor", 404],
  ["PATCH", "/pods", 405],
];

memberTest(
  "S18 S20 S21 what makes no sense is refused as the kubelet does",
  async () => {
    await served();
    const caller = await admin();
    await apply(aPod("web", {
      containers: [aContainer("echo hi; sleep 1000")],
    }));
    const [web] = await ready("app=web", 1);
    const link = `${world.root}/var/log/link`;
    await Deno.symlink("/etc/hostname", link);
    try {
      await asking(caller, async (ask) => {
        for (const [method, path, expected] of ODD) {
          const { status } = await ask(method, path);
          const what = `${method} ${path}`;
          assert.equal(`${what} ${status}`, `${what} ${expected}`);
        }
        const statuses = new Set<number>();
        for (let at = 0; at < 12; at++) {
          const { status } = await ask("POST", "/checkpoint/default/web/app");
          statuses.add(status);
        }
        assert.ok(statuses.has(429), `S18 ${[...statuses].join(" ")}`);
        const logs =
          `${world.root}/var/log/pods/default_web_${web?.metadata?.uid}/app`;
        assert.equal((await kubectl("logs", "web")).trim(), "hi");
        await Deno.rename(`${logs}/0.log`, `${logs}/kept`);
        await Deno.symlink("/etc/hostname", `${logs}/0.log`);
        const host = (await Deno.readTextFile("/etc/hostname")).trim();
        // The head is out by then, so the answer breaks off.
        const said = await ask("GET", "/containerLogs/default/web/app")
          .then(({ text }) => text, String);
        assert.ok(!said.includes(host), `S21 ${said}`);
        await Deno.remove(`${logs}/0.log`);
        await Deno.rename(`${logs}/kept`, `${logs}/0.log`);
        assert.equal((await ask("GET", "/healthz")).status, 200);
      });
      for (const line of ["GET * HTTP/1.1", "GET http://x/pods HTTP/1.1"]) {
        const end = "Host: x\r\nConnection: close\r\n\r\n";
        const answer = await raw(`${line}\r\n${end}`, caller);
        assert.match(answer, /^HTTP\/1\.1 4\d\d /, line);
      }
    } finally {
      await Deno.remove(link);
      await Deno.remove(`${world.root}/var/lib/kubelet/checkpoints`, {
        recursive: true,
      }).catch(() => undefined);
    }
  },
);
