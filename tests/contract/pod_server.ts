/** Real servers, on loopback unless told otherwise, that behave as told, for tests of `PodNet`. */
import { Buffer } from "node:buffer";
import * as grpc from "@grpc/grpc-js";
import protobuf from "protobufjs";
import type { Behaviour } from "../fakes/fake_pod_net.ts";
import { listenGrpc } from "./grpc_listen.ts";

export interface PodServer {
  readonly port: number;
  /** The last request's head. */
  readonly request: () => string | undefined;
  readonly close: () => Promise<void>;
}

const HOST = "127.0.0.1";

export async function servePod(
  behaviour: Behaviour,
  host = HOST,
): Promise<PodServer> {
  if (behaviour.kind === "grpc") {
    return await serveHealth(behaviour.services, host);
  }
  return serveRaw(
    (connection, request) => behave(behaviour, connection, request),
    host,
  );
}

/** Each connection is handed over after its first bytes, then closed. */
export function serveRaw(
  answer: (connection: Deno.Conn, request: string) => Promise<void>,
  host = HOST,
): PodServer {
  const listener = Deno.listen({ hostname: host, port: 0 });
  const open = new Set<Deno.Conn>();
  const running = new Set<Promise<void>>();
  let last: string | undefined;
  const serve = async (connection: Deno.Conn) => {
    open.add(connection);
    try {
      const bytes = new Uint8Array(16 * 1024);
      const count = await connection.read(bytes);
      if (count === null) return;
      last = new TextDecoder().decode(bytes.subarray(0, count));
      await answer(connection, last);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
    } finally {
      if (open.delete(connection)) connection.close();
    }
  };
  const accepting = (async () => {
    for await (const connection of listener) {
      const work = serve(connection).finally(() => running.delete(work));
      running.add(work);
    }
  })();
  return {
    port: listener.addr.port,
    request: () => last,
    async close() {
      listener.close();
      for (const each of open) if (open.delete(each)) each.close();
      await accepting;
      await Promise.all(running);
    },
  };
}

async function behave(
  behaviour: Exclude<Behaviour, { kind: "grpc" }>,
  connection: Deno.Conn,
  _request: string,
): Promise<void> {
  switch (behaviour.kind) {
    case "hangs-up":
      return;
    case "silent":
      return await untilGone(connection);
    case "drip":
      await say(connection, `HTTP/1.1 ${behaviour.status} Drip\r\n\r\nx`);
      return await untilGone(connection);
    case "http": {
      const { status, body = "", location } = behaviour;
      const more = location === undefined ? "" : `Location: ${location}\r\n`;
      await say(
        connection,
        `HTTP/1.1 ${status} So\r\n${more}` +
          `Content-Length: ${body.length}\r\n\r\n${body}`,
      );
    }
  }
}

export async function say(connection: Deno.Conn, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) {
    at += await connection.write(bytes.subarray(at));
  }
}

export async function untilGone(connection: Deno.Conn): Promise<void> {
  const bytes = new Uint8Array(1024);
  while (await connection.read(bytes) !== null);
}

const STATUSES = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];

interface Question {
  readonly service: string;
}

/** Field 1 of both messages, written by hand: a second opinion on ours. */
async function serveHealth(
  services: ReadonlyMap<string, string>,
  host: string,
): Promise<PodServer> {
  const server = new grpc.Server();
  let agent: string | undefined;
  const check: grpc.handleUnaryCall<Question, number> = (call, callback) => {
    agent = `user-agent: ${call.metadata.get("user-agent").join()}`;
    const status = services.get(call.request.service);
    if (status === undefined) {
      const code = grpc.status.NOT_FOUND;
      return callback({ code, details: "unknown service" });
    }
    callback(null, STATUSES.indexOf(status));
  };
  server.addService({
    Check: {
      path: "/grpc.health.v1.Health/Check",
      requestStream: false,
      responseStream: false,
      requestSerialize: ({ service }: Question) => Buffer.from(service),
      requestDeserialize: (bytes: Buffer) => {
        if (bytes.length === 0) return { service: "" };
        const reader = protobuf.Reader.create(bytes);
        reader.uint32();
        return { service: reader.string() };
      },
      responseSerialize: (status: number) => Buffer.from([8, status]),
      responseDeserialize: (bytes: Buffer) => bytes[1] ?? 0,
    },
  }, { Check: check });
  return { ...await listenGrpc(server, { host }), request: () => agent };
}
