/**
 * Many watches over few connections: HTTP/2 to the API server, as client-go
 * does. For watches of single objects, of which a node may have hundreds; a
 * connection is made anew for as many as the server allows on one. Where the
 * server or a proxy on the way speaks HTTP/1.1 only, says so, and each watch
 * has a connection of its own. Called by transport.ts. A connection is asked
 * whether it lives: a watch of what never changes may be silent for hours.
 */
import * as http2 from "node:http2";
import * as tls from "node:tls";
import type { Readable } from "node:stream";
import { guardedSocket } from "../base/http2_guard.ts";
import type { Secrets } from "./credentials.ts";
import { identityOf, nameToExpect } from "./dial.ts";

/** Compat: kube-apiserver 1.36 allows 100 streams by default. */
const MOST_STREAMS = 100;
const DIAL_LIMIT_MS = 10_000;
/** Compat: client-go HTTP/2 health check. */
const PING_EVERY_MS = 30_000;
const PONG_LIMIT_MS = 15_000;

export interface StreamRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface StreamAnswer {
  readonly status: number;
  readonly headers: http2.IncomingHttpHeaders;
  readonly body: Readable;
}

interface Connection {
  readonly session: http2.ClientHttp2Session;
  streams: number;
}

export class Multiplex {
  readonly #connections = new Set<Connection>();
  readonly #dials = new Set<Promise<Connection | undefined>>();
  #isRefused = false;
  /** Counts what was dropped: a dial from before is of no use. */
  #round = 0;

  /** Undefined: HTTP/2 is not spoken there. */
  async open(
    request: StreamRequest,
    secrets: Secrets,
    signal: AbortSignal,
  ): Promise<StreamAnswer | undefined> {
    const { server, proxyUrl } = secrets.access;
    const isPlain = server.startsWith("http://") || proxyUrl !== undefined;
    if (isPlain || this.#isRefused) return undefined;
    const connection = await this.#take(secrets);
    if (connection === undefined) return undefined;
    return await exchange(connection, { request, server, signal });
  }

  /** Ends every connection. */
  drop(): void {
    this.#round++;
    this.#isRefused = false;
    for (const { session } of this.#connections) session.destroy();
    this.#connections.clear();
    this.#dials.clear();
  }

  /** A connection with room, counted as used. */
  async #take(secrets: Secrets): Promise<Connection | undefined> {
    for (;;) {
      for (const each of this.#connections) {
        const { session, streams } = each;
        if (session.destroyed || session.closed) continue;
        if (streams >= limitOf(each)) continue;
        each.streams++;
        return each;
      }
      // Those who come meanwhile wait for the same one.
      const [running] = this.#dials;
      if (await (running ?? this.#dial(secrets)) === undefined) {
        return undefined;
      }
    }
  }

  #dial(secrets: Secrets): Promise<Connection | undefined> {
    const round = this.#round;
    const made = connect(secrets).then((session) => {
      if (round !== this.#round) {
        session?.destroy();
        throw new Error("the connection was given up");
      }
      if (session === undefined) {
        this.#isRefused = true;
        return undefined;
      }
      const connection = { session, streams: 0 };
      session.once("close", () => this.#connections.delete(connection));
      this.#connections.add(connection);
      return connection;
    }).finally(() => this.#dials.delete(made));
    this.#dials.add(made);
    return made;
  }
}

function limitOf({ session }: Connection): number {
  const told = session.remoteSettings?.maxConcurrentStreams ?? MOST_STREAMS;
  return Math.max(1, Math.min(told, MOST_STREAMS));
}

/** Undefined when the server does not speak HTTP/2. */
async function connect(
  secrets: Secrets,
): Promise<http2.ClientHttp2Session | undefined> {
  const { access } = secrets;
  const { hostname, port } = new URL(access.server);
  const host = hostname.replace(/^\[|\]$/g, "");
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = tls.connect({
    port: port === "" ? 443 : Number(port),
    ...identityOf(secrets),
    ...(access.tlsServerName === undefined
      ? {}
      : nameToExpect(access.tlsServerName)),
    host,
    ALPNProtocols: ["h2", "http/1.1"],
  });
  const timer = setTimeout(
    () => socket.destroy(new Error("no connection within 10 s")),
    DIAL_LIMIT_MS,
  );
  socket.once("secureConnect", resolve);
  socket.once("error", reject);
  socket.once("close", () => reject(new Error("the connection was closed")));
  try {
    await promise;
  } finally {
    clearTimeout(timer);
  }
  if (socket.alpnProtocol !== "h2") {
    socket.destroy();
    return undefined;
  }
  const session = http2.connect(access.server, {
    createConnection: () => guardedSocket(socket, "client"),
  });
  // The streams on it fail too, and tell; without a listener it is uncaught.
  session.on("error", () => session.destroy());
  keepAsking(session);
  return session;
}

/** Ends a connection on which nobody answers, so that its watches go on. */
function keepAsking(session: http2.ClientHttp2Session): void {
  let late: ReturnType<typeof setTimeout> | undefined;
  const asking = setInterval(() => {
    if (session.destroyed) return clearInterval(asking);
    if (late !== undefined) return;
    late = setTimeout(() => session.destroy(), PONG_LIMIT_MS);
    session.ping(() => {
      clearTimeout(late);
      late = undefined;
    });
  }, PING_EVERY_MS);
  session.once("close", () => {
    clearInterval(asking);
    clearTimeout(late);
  });
}

/** Takes the place on the connection that was counted, and gives it back. */
async function exchange(
  connection: Connection,
  how: {
    readonly request: StreamRequest;
    readonly server: string;
    readonly signal: AbortSignal;
  },
): Promise<StreamAnswer> {
  const { request, server, signal } = how;
  const { promise, resolve, reject } = Promise.withResolvers<StreamAnswer>();
  const base = new URL(server).pathname.replace(/\/$/, "");
  let stream: http2.ClientHttp2Stream;
  try {
    signal.throwIfAborted();
    stream = connection.session.request({
      ...request.headers,
      ":method": request.method,
      ":path": base + request.path,
    }, { endStream: true });
  } catch (error) {
    connection.streams--;
    throw error;
  }
  const stop = () => stream.destroy(asError(signal.reason));
  signal.addEventListener("abort", stop, { once: true });
  stream.on("error", reject);
  stream.once("response", (headers) => {
    const status = Number(headers[":status"] ?? 0);
    resolve({ status, headers, body: stream });
  });
  stream.once("close", () => {
    connection.streams--;
    signal.removeEventListener("abort", stop);
    reject(new Error("the stream was closed"));
  });
  return await promise;
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
