/** An HTTP request as `node:http` tells it → `NodeRequest`. */
import { joined } from "../base/bytes.ts";
import type { IncomingMessage } from "node:http";
import type { NodeRequest } from "../port/node_server.ts";
import { holdReads, letReads } from "./raw_reads.ts";
import { plainAddress } from "./node_peers.ts";

export function requestOf(
  message: IncomingMessage,
  known: {
    readonly certificate: Uint8Array | undefined;
    readonly signal: AbortSignal;
  },
): NodeRequest {
  const target = message.url ?? "/";
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  const headers = headersOf(message);
  return {
    method: message.method ?? "",
    path,
    query: queryOf(mark < 0 ? "" : target.slice(mark + 1)),
    headers,
    certificate: known.certificate,
    remote: plainAddress(message.socket.remoteAddress),
    isUpgrade: /(^|,)\s*upgrade\s*(,|$)/i.test(headers.get("connection") ?? ""),
    signal: known.signal,
    body: (limitBytes) => bodyOf(message, limitBytes),
  };
}

function headersOf(message: IncomingMessage): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  const { rawHeaders } = message;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? "").toLowerCase();
    const value = rawHeaders[at + 1] ?? "";
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return headers;
}

function queryOf(text: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(text)) {
    const values = found.get(name);
    if (values === undefined) found.set(name, [value]);
    else values.push(value);
  }
  return found;
}

async function bodyOf(
  message: IncomingMessage,
  limitBytes: number,
): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  letReads(message.socket);
  for await (const chunk of message) {
    if (!(chunk instanceof Uint8Array)) continue;
    length += chunk.length;
    if (length > limitBytes) {
      holdReads(message.socket);
      return undefined;
    }
    chunks.push(chunk);
  }
  return joined(chunks);
}
