/**
 * Started by http2_guard_test.ts with two words: who of our clients of HTTP/2 meets
 * what server. Prints what the client was told, three times, or once how often
 * it asked a server that makes noise; the process must be alive to do so.
 */
import { Buffer } from "node:buffer";
import * as http2 from "node:http2";
import * as net from "node:net";
import * as tls from "node:tls";
import { FrameScanner } from "../../lib/base/http2_guard.ts";
import { openChannel } from "../../lib/cri/channel.ts";
import { openHealth } from "../../lib/cri/health.ts";
import { selfSigned } from "../../lib/identity/x509.ts";
import { Multiplex } from "../../lib/kube/multiplex.ts";
import { systemKeys } from "../../lib/kube/open.ts";
import { dice } from "../dice.ts";
import { listening } from "../listen.ts";
import { makeNoise } from "./http2_noise.ts";

const TIMES = 3;
const NOISY_ROUNDS = 20;
const AT_ONCE = 20;
const HOST = "127.0.0.1";
const PREFACE_BYTES = 24;
const HEADERS = 1;
const ENDS = 5;
const PONG = [0, 0, 8, 6, 1, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];
const SETTINGS = [0, 0, 0, 4, 0, 0, 0, 0, 0];
/** Status 200 and the error UNIMPLEMENTED of gRPC, by RFC 7541, section 6. */
const BLOCK = [
  ...[0x88, ...literal("content-type", "application/grpc")],
  ...literal("grpc-status", "12"),
];
const ANSWER = [0, 0, BLOCK.length, HEADERS, ENDS, 0, 0, 0, 1, ...BLOCK];

interface Farewell {
  readonly greeting: readonly number[];
  readonly answer: readonly number[];
}

/** No error is a server that stops as it should; 11 is ENHANCE_YOUR_CALM. */
const FAREWELLS: Readonly<Record<string, Farewell>> = {
  "at once": { greeting: [...SETTINGS, ...goaway(0, 0)], answer: [] },
  "when asked": { greeting: SETTINGS, answer: goaway(0, 0) },
  "when asked, angrily": { greeting: SETTINGS, answer: goaway(0, 11) },
  "with an answer to no question": {
    greeting: SETTINGS,
    answer: [...PONG, ...PONG],
  },
  "after the answer": {
    greeting: SETTINGS,
    answer: [...ANSWER, ...goaway(1, 0)],
  },
};
const signal = AbortSignal.timeout(20_000);

function goaway(lastStream: number, code: number): number[] {
  return [...[0, 0, 8, 7, 0, 0, 0, 0, 0], 0, 0, 0, lastStream, 0, 0, 0, code];
}

function literal(name: string, value: string): number[] {
  const long = (text: string) => [text.length, ...Buffer.from(text)];
  return [0, ...long(name), ...long(value)];
}

const roll = dice(Number(Deno.args[2] ?? 1));

function serve(socket: net.Socket): void {
  if (Deno.args[1] === "noise") return makeNoise(socket, roll);
  const said = FAREWELLS[Deno.args[1] ?? ""];
  if (said === undefined) throw new Error(`no such way: ${Deno.args[1]}`);
  socket.write(Buffer.from(said.greeting));
  socket.on("error", () => {});
  const asked = new FrameScanner(PREFACE_BYTES, (type) => type !== HEADERS);
  const answer = (chunk: Buffer) => {
    if (asked.find(chunk) < 0) return;
    socket.off("data", answer);
    socket.resume();
    socket.write(Buffer.from(said.answer));
  };
  socket.on("data", answer);
}

async function outcome(work: () => Promise<unknown>): Promise<string> {
  try {
    return `answered: ${await work()}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const CLIENTS: Readonly<Record<string, () => Promise<() => Promise<unknown>>>> =
  {
    /** Deno's own HTTP/2, as it comes. */
    async bare() {
      const port = await listening(net.createServer(serve));
      return () =>
        new Promise((_resolve, reject) => {
          const session = http2.connect(`http://${HOST}:${port}`);
          const stream = session.request({ ":path": "/" });
          session.on("error", reject);
          stream.on("error", reject);
          session.on("close", () => reject(new Error("closed")));
        });
    },
    async probe() {
      const port = await listening(net.createServer(serve));
      const { health } = openHealth();
      const target = { host: HOST, port, timeoutMs: 500, service: "" };
      return () => health(target, signal);
    },
    async runtime() {
      const path = `${await Deno.makeTempDir()}/s`;
      await listening(net.createServer(serve), { path });
      const channel = openChannel({ endpoint: `unix://${path}` });
      return () =>
        channel.unary("runtime.v1.RuntimeService/Version", { version: "" }, {
          signal,
          deadlineMs: 500,
        });
    },
    async watch() {
      const pair = await selfSigned(
        { commonName: "server", dnsNames: [], ips: [HOST] },
        await systemKeys.create(),
        { notBeforeMs: 0, notAfterMs: 4e12, serialNumber: "1" },
      );
      const { certificate: cert, key } = pair;
      const options = { cert, key, ALPNProtocols: ["h2"] };
      const port = await listening(tls.createServer(options, serve));
      const multiplex = new Multiplex();
      const none = undefined;
      const secrets = {
        access: {
          ...{ server: `https://${HOST}:${port}`, isInsecure: true },
          ...{ ca: none, tlsServerName: none, proxyUrl: none, exec: none },
          ...{ certificate: none, key: none, token: none, tokenPath: none },
          basic: none,
        },
        ...{ ca: none, authorization: none, certificate: none, key: none },
      };
      const request = { method: "GET", path: "/", headers: {} };
      return async () =>
        (await multiplex.open(request, secrets, AbortSignal.timeout(500)))
          ?.status;
    },
  };

const open = CLIENTS[Deno.args[0] ?? ""];
if (open === undefined) throw new Error(`no such client: ${Deno.args[0]}`);
const ask = await open();
if (Deno.args[1] === "noise") {
  for (let round = 0; round < NOISY_ROUNDS; round++) {
    await Promise.all(Array.from({ length: AT_ONCE }, () => outcome(ask)));
  }
  console.log(NOISY_ROUNDS * AT_ONCE);
} else {
  for (let time = 0; time < TIMES; time++) console.log(await outcome(ask));
}
Deno.exit(0);
