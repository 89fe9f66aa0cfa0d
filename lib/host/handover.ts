/**
 * Hands a connection over to the runtime's streaming server: repeats the
 * request there, and after 101 passes bytes both ways, each side no faster than
 * the other reads: unchanged, or from a WebSocket to SPDY and back.
 */
import { connect, type Socket } from "node:net";
import { once } from "node:events";
import type { Duplex } from "node:stream";
import type { Handover, WebSocketCaller } from "../port/node_server.ts";
import { holdReads, letReads } from "./raw_reads.ts";
import { relay, written } from "./relay.ts";
import { RemoteCommand } from "./remote_command.ts";
import { HeadReader, type ResponseHead } from "./response_head.ts";
import { Tunnel } from "./tunnel.ts";
import { acceptOf } from "./websocket.ts";

const DIAL_MS = 10_000;
const HEAD_MS = 30_000;
/** Of an answer that is no 101. */
const MOST_BODY_BYTES = 64 * 1024;
/** What one side still has to say after the other has ended. */
const LINGER_MS = 5_000;

export async function handOver(
  caller: Duplex,
  to: Handover,
  ahead: Uint8Array,
): Promise<void> {
  holdReads(caller);
  const runtime = connect({ host: to.host, port: to.port });
  try {
    runtime.on("error", () => runtime.destroy());
    runtime.setNoDelay(true);
    await within(DIAL_MS, runtime, once(runtime, "connect"));
    runtime.write(requestText(to));
    const head = await within(HEAD_MS, runtime, readHead(runtime));
    // All bytes, of either side, go through this one.
    runtime.setTimeout(to.idleMs, () => runtime.destroy());
    if (head.status === 101 && to.webSocket !== undefined) {
      await translate({ caller, runtime }, to.webSocket, { head, ahead });
    } else if (head.status === 101) {
      await join({ caller, runtime }, head, ahead);
    } else await refuse(caller, runtime, head);
  } catch {
    // Whose fault it is does not matter to the caller, nor does the address.
    if (!caller.destroyed) {
      plain(caller, "502 Bad Gateway", "Cannot reach the runtime's server\n");
    }
  } finally {
    const { bytesWritten: toRuntime, bytesRead: toCaller } = runtime;
    runtime.destroy();
    to.ended({ toRuntime, toCaller });
  }
}

function requestText({ method, path, host, port, headers }: Handover): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  const authority = host.includes(":")
    ? `[${host}]:${port}`
    : `${host}:${port}`;
  return `${method} ${path} HTTP/1.1\r\nHost: ${authority}\r\n` +
    `${lines.join("")}\r\n`;
}

async function readHead(runtime: Socket): Promise<ResponseHead> {
  const reader = new HeadReader();
  for (;;) {
    const chunk: unknown = runtime.read();
    if (chunk instanceof Uint8Array) {
      const head = reader.add(chunk);
      if (head !== undefined) return head;
      continue;
    }
    if (runtime.readableEnded || runtime.destroyed) {
      throw new Error("The runtime's server ended without an answer");
    }
    await Promise.race([once(runtime, "readable"), once(runtime, "close")]);
  }
}

interface Joint {
  readonly caller: Duplex;
  readonly runtime: Socket;
}

/** Like `join`, but the two sides speak different protocols. */
async function translate(
  { caller, runtime }: Joint,
  { key, protocol, holds }: WebSocketCaller,
  { head, ahead }: { readonly head: ResponseHead; readonly ahead: Uint8Array },
): Promise<void> {
  const translator = holds === "tunnel"
    ? new Tunnel()
    : new RemoteCommand(holds);
  caller.write(
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n" +
      `Connection: Upgrade\r\nSec-WebSocket-Accept: ${acceptOf(key)}\r\n` +
      `Sec-WebSocket-Protocol: ${protocol}\r\n\r\n`,
  );
  const { on, back } = translator.begin();
  await Promise.all([written(runtime, on), written(caller, back)]);
  if (head.rest.length > 0) runtime.unshift(head.rest);
  if (ahead.length > 0) caller.unshift(ahead);
  const over = Promise.withResolvers<void>();
  relay(caller, runtime, {
    pass: (chunk) => translator.fromCaller(chunk),
    over: over.resolve,
  });
  relay(runtime, caller, {
    pass: (chunk) => translator.fromRuntime(chunk),
    over: over.resolve,
  });
  letReads(caller);
  await Promise.race([over.promise, ended({ caller, runtime })]);
  if (!caller.destroyed) await written(caller, translator.end());
  await letGo({ caller, runtime });
}

/** Until either side has ended. Compat: apimachinery 0.36 tryUpgrade. */
async function join(
  { caller, runtime }: Joint,
  head: ResponseHead,
  ahead: Uint8Array,
): Promise<void> {
  letReads(caller);
  caller.write(head.text);
  if (head.rest.length > 0) caller.write(head.rest);
  if (ahead.length > 0) runtime.write(ahead);
  relay(caller, runtime);
  relay(runtime, caller);
  await ended({ caller, runtime });
  await letGo({ caller, runtime });
}

/** Resolves when either side says nothing more. */
async function ended({ caller, runtime }: Joint): Promise<void> {
  await Promise.race([
    once(caller, "end"),
    once(caller, "close"),
    once(runtime, "end"),
    once(runtime, "close"),
  ]);
}

/** What was written before the end is still on its way. */
async function letGo({ caller, runtime }: Joint): Promise<void> {
  await Promise.all([flushed(caller), flushed(runtime)]);
  caller.destroy();
}

async function flushed(side: Duplex): Promise<void> {
  if (side.destroyed || side.writableFinished) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, LINGER_MS);
  side.once("close", resolve);
  side.end(resolve);
  await promise;
  clearTimeout(timer);
}

/** Anything but 101: passed on as it is, and the connection with it ends. */
async function refuse(
  caller: Duplex,
  runtime: Socket,
  head: ResponseHead,
): Promise<void> {
  if (head.status >= 300 && head.status < 400) {
    return plain(
      caller,
      "502 Bad Gateway",
      "The runtime's server redirects, which is not followed\n",
    );
  }
  const chunks = [head.rest];
  let length = head.rest.length;
  const wanted = Math.min(head.contentLength ?? 0, MOST_BODY_BYTES);
  while (length < wanted && !runtime.readableEnded && !runtime.destroyed) {
    const chunk: unknown = runtime.read();
    if (chunk instanceof Uint8Array) {
      chunks.push(chunk);
      length += chunk.length;
      continue;
    }
    await within(
      HEAD_MS,
      runtime,
      Promise.race([once(runtime, "readable"), once(runtime, "close")]),
    );
  }
  const body = new TextDecoder().decode(
    new Uint8Array(chunks.flatMap((chunk) => [...chunk])).subarray(0, wanted),
  );
  plain(caller, `${head.status} ${head.reason}`, body);
}

function plain(caller: Duplex, status: string, body: string): void {
  caller.end(
    `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\n` +
      `Connection: close\r\n\r\n${body}`,
  );
  letReads(caller);
  caller.resume();
}

/** Ends the socket, and so the wait, when it takes too long. */
async function within<T>(
  limitMs: number,
  socket: Socket,
  work: Promise<T>,
): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new Error(`Deadline of ${limitMs / 1000} s passed`));
    socket.destroy();
  }, limitMs);
  const closed = () => reject(new Error("The runtime's server hung up"));
  socket.once("close", closed);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
    socket.off("close", closed);
  }
}
