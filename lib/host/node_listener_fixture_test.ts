/** A node listener with its certificates, and callers of it. */
import {
  issue,
  makeAuthority,
  type Pair,
} from "../../deploy/cluster/certificates.ts";
import { cell, type Writer } from "../base/cell.ts";
import type { NodeHandler, ServerIdentity } from "../port/node_server.ts";
import { HostNodeListener } from "./node_listener.ts";

export const NODE_CA = await makeAuthority("node-ca");
export const CLIENT_CA = await makeAuthority("client-ca");
export const SERVER = await issue(NODE_CA, {
  commonName: "node",
  use: "server",
  hosts: ["127.0.0.1"],
});

export function signed(
  ca: Pair,
  more: Partial<Parameters<typeof issue>[1]> = {},
) {
  return issue(ca, { commonName: "me", use: "client", ...more });
}

/** A free port of the loopback; whoever takes it first has it. */
export function freePort(): number {
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

export async function serving(
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

export async function reachable(port: number): Promise<void> {
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
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

export async function get(url: string, pair?: Pair): Promise<string> {
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

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function connect(port: number): Promise<Deno.TlsConn> {
  return Deno.connectTls({
    hostname: "127.0.0.1",
    port,
    caCerts: [NODE_CA.certificate],
  });
}

export async function readAll(connection: Deno.Conn): Promise<string> {
  let text = "";
  const chunk = new Uint8Array(16 * 1024);
  for (;;) {
    const length = await connection.read(chunk).catch(() => null);
    if (length === null) return text;
    text += new TextDecoder().decode(chunk.subarray(0, length));
  }
}

/** Sends until nothing is taken for a while; `over` when it is closed. */
export async function sendUntilStuck(
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
export const SOCKETS_BYTES = 24 << 20;
