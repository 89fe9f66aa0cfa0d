/**
 * Writes a `NodeResponse`: through `node:http`, or raw on a connection that
 * asked for another protocol. The source is pulled only as fast as the caller
 * reads, and ended as soon as nobody listens.
 */
import type { ServerResponse } from "node:http";
import { STATUS_CODES } from "node:http";
import { once } from "node:events";
import type { Duplex, Writable } from "node:stream";
import type { NodeResponse } from "../port/node_server.ts";
import { letReads } from "./raw_reads.ts";

export async function respond(
  response: ServerResponse,
  answer: NodeResponse,
  signal: AbortSignal,
): Promise<void> {
  if (response.destroyed || signal.aborted) return await endBody(answer);
  const { status, headers, body } = answer;
  response.statusCode = status;
  for (const [name, value] of headers) response.setHeader(name, value);
  if (typeof body === "string" || body instanceof Uint8Array) {
    response.end(body);
    return;
  }
  response.flushHeaders();
  const isWhole = await pour(body, response, signal);
  if (isWhole) response.end();
  // An answer that broke off must not look like one that ended.
  else response.destroy();
}

/** On a connection that no other request may come on. */
export async function respondRaw(
  socket: Duplex,
  answer: NodeResponse,
  signal: AbortSignal,
): Promise<void> {
  if (socket.destroyed || signal.aborted) return await endBody(answer);
  const { status, headers, body } = answer;
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${lines.join("")}` +
      "Connection: close\r\n\r\n",
  );
  if (typeof body === "string" || body instanceof Uint8Array) socket.end(body);
  else if (await pour(body, socket, signal)) socket.end();
  else socket.destroy();
  letReads(socket);
  socket.resume();
}

/** True when the source came to its end. */
async function pour(
  source: AsyncIterable<Uint8Array>,
  target: Writable,
  signal: AbortSignal,
): Promise<boolean> {
  const iterator = source[Symbol.asyncIterator]();
  const stop = () => void endQuietly(iterator);
  signal.addEventListener("abort", stop, { once: true });
  try {
    for (;;) {
      const { done, value } = await iterator.next();
      if (signal.aborted) return false;
      if (done === true) return true;
      if (!target.write(value)) await once(target, "drain", { signal });
    }
  } catch {
    // Said by whoever made the source; the caller sees a broken connection.
    await endQuietly(iterator);
    return false;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

async function endBody({ body }: NodeResponse): Promise<void> {
  if (typeof body === "string" || body instanceof Uint8Array) return;
  await endQuietly(body[Symbol.asyncIterator]());
}

/** The source's own failure to end has nobody left to be told to. */
async function endQuietly(iterator: AsyncIterator<Uint8Array>): Promise<void> {
  await Promise.allSettled([iterator.return?.()]);
}
