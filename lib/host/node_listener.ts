/**
 * `NodeListener` on `node:https`, the one server of Deno that asks for client
 * certificates. Knows sockets, limits and who proved what by a certificate;
 * what a request means is the handler's business.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { Socket } from "node:net";
import type { SecureContextOptions, TlsOptions } from "node:tls";
import type { Duplex } from "node:stream";
import { AgentError } from "../base/errors.ts";
import type {
  NodeAddress,
  NodeAnswer,
  NodeHandler,
  NodeListener,
  ServerIdentity,
} from "../port/node_server.ts";
import { type Proof, ProvenPeers } from "./node_peers.ts";
import { requestOf } from "./node_request.ts";
import { respond, respondRaw } from "./node_response.ts";
import { handOver } from "./handover.ts";
import { holdReads } from "./raw_reads.ts";

const LIMITS = {
  /** Of the request line and all headers. */
  maxHeaderSize: 64 * 1024,
  headersTimeout: 10_000,
  /** Of a whole request; nobody sends large ones here. */
  requestTimeout: 60_000,
  handshakeTimeout: 10_000,
  // Compat: kubelet 1.36 ListenAndServeKubeletServer: IdleTimeout.
  keepAliveTimeout: 90_000,
  connectionsCheckingInterval: 2_000,
} as const;
/** For the answer to get through to who still sends. */
const LINGER_MS = 500;
const MOST_CONNECTIONS = 1_000;
const KEEP_ALIVE_MS = 30_000;
const BROKEN = {
  kind: "response",
  status: 500,
  headers: [],
  body: "Internal error\n",
} as const;

export class HostNodeListener implements NodeListener {
  async serve(
    address: NodeAddress,
    handler: NodeHandler,
    signal: AbortSignal,
  ): Promise<void> {
    if (signal.aborted) return;
    const peers = new ProvenPeers();
    const ending = new AbortController();
    const both = AbortSignal.any([signal, ending.signal]);
    const server = makeServer(address, peers);
    const sockets = guard(server);
    const calls = { handler, peers, signal: both };
    // A failure that nobody foresaw ends a connection, not the agent.
    server.on("request", (request, response) => {
      answer(calls, request, response).catch(() => response.destroy());
    });
    server.on("upgrade", (request, socket, head) => {
      const connection = { socket, head };
      answerUpgrade(calls, request, connection).catch(() => socket.destroy());
    });
    const identity = followIdentity(server, address, { peers, signal: both });
    try {
      await listening(server, address);
      await Promise.race([over(both), failed(server)]);
    } finally {
      ending.abort(new DOMException("Server ended", "AbortError"));
      server.close();
      for (const socket of sockets) socket.destroy();
      await identity;
    }
  }
}

interface Calls {
  readonly handler: NodeHandler;
  readonly peers: ProvenPeers;
  readonly signal: AbortSignal;
}

function makeServer(address: NodeAddress, peers: ProvenPeers): Server {
  const identity = address.identity.get();
  const server = createServer({ ...LIMITS, ...contextOf(address, identity) });
  peers.authorities(identity.clientCa);
  server.on("secureConnection", (socket: Proof & Duplex) => peers.met(socket));
  // Scanners and clients of another trust are not worth a line each.
  server.on("tlsClientError", (_error: Error, socket: Duplex | undefined) => {
    socket?.destroy();
  });
  return server;
}

function contextOf(
  { rules }: NodeAddress,
  identity: ServerIdentity,
): SecureContextOptions & TlsOptions {
  const { certificate, key, clientCa } = identity;
  return {
    ...certificate === undefined ? {} : { cert: certificate },
    ...key === undefined ? {} : { key },
    ...clientCa === undefined ? {} : { ca: clientCa },
    // Not only when there is a CA: it may come later, this may not.
    requestCert: true,
    // Who is not known by a certificate may still bring a token.
    rejectUnauthorized: false,
    minVersion: rules.minVersion,
    ...rules.ciphers.length === 0 ? {} : { ciphers: rules.ciphers.join(":") },
    ALPNProtocols: ["http/1.1"],
  };
}

/** A changed certificate or CA holds from the next handshake on. */
async function followIdentity(
  server: Server,
  address: NodeAddress,
  how: { readonly peers: ProvenPeers; readonly signal: AbortSignal },
): Promise<void> {
  for await (const identity of address.identity.changes(how.signal)) {
    server.setSecureContext(contextOf(address, identity));
    how.peers.authorities(identity.clientCa);
  }
}

/** Every open socket, and no more of them than there may be. */
function guard(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    if (sockets.size >= MOST_CONNECTIONS) return void socket.destroy();
    sockets.add(socket);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.setNoDelay(true);
    socket.once("close", () => sockets.delete(socket));
    // Whoever uses the socket hears of it too; alone it would end the process.
    socket.on("error", () => socket.destroy());
  });
  server.on("clientError", (error: Error, socket: Duplex) => {
    const code = "code" in error ? error.code : "";
    const status = code === "HPE_HEADER_OVERFLOW"
      ? "431 Request Header Fields Too Large"
      : code === "ERR_HTTP_REQUEST_TIMEOUT"
      ? "408 Request Timeout"
      : "400 Bad Request";
    if (socket.writable) {
      socket.end(
        `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\n` +
          `Connection: close\r\n\r\n${status}`,
      );
    }
    setTimeout(() => socket.destroy(), 1000);
  });
  return sockets;
}

async function listening(server: Server, address: NodeAddress): Promise<void> {
  const { host, port } = address;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen({ host, port }, resolve);
  try {
    await promise;
  } catch (cause) {
    throw new AgentError(`Cannot listen on ${host}:${port}`, {
      next: "retry",
      cause,
    });
  } finally {
    server.off("error", reject);
  }
}

function over(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve(), { once: true });
  return promise;
}

function failed(server: Server): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  server.on("error", (cause) => {
    reject(new AgentError("Cannot serve any more", { next: "retry", cause }));
  });
  return promise;
}

async function answer(
  calls: Calls,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const ending = new AbortController();
  response.once("close", () => {
    ending.abort(new DOMException("Connection ended", "AbortError"));
  });
  const signal = AbortSignal.any([calls.signal, ending.signal]);
  // Kept: a request whose body was not read to its end has no socket any more.
  const { socket } = request;
  // A body is read when it is asked for, and not before.
  if (isUnread(request)) holdReads(socket);
  const found = await handled(calls, request, signal);
  // Nobody waits for a handover here: it takes the raw connection.
  const plain = found.kind === "handover" ? BROKEN : found;
  const isOwed = isUnread(request);
  if (isOwed) response.setHeader("Connection", "close");
  await respond(response, plain, signal);
  if (isOwed) endSoon(request, socket);
}

/** A body that nobody has asked for, or not for all of it. */
function isUnread({ headers, complete }: IncomingMessage): boolean {
  const { "content-length": length = "0" } = headers;
  return !complete &&
    (headers["transfer-encoding"] !== undefined || length !== "0");
}

/** Invariant: what was answered is not read on, be it endless. */
function endSoon(request: IncomingMessage, socket: Socket): void {
  holdReads(socket);
  request.pause();
  setTimeout(() => socket.destroy(), LINGER_MS);
}

async function answerUpgrade(
  calls: Calls,
  request: IncomingMessage,
  connection: { readonly socket: Duplex; readonly head: Uint8Array },
): Promise<void> {
  const { socket, head } = connection;
  const ending = new AbortController();
  socket.once("close", () => {
    ending.abort(new DOMException("Connection ended", "AbortError"));
  });
  socket.on("error", () => socket.destroy());
  const signal = AbortSignal.any([calls.signal, ending.signal]);
  holdReads(socket);
  const found = await handled(calls, request, signal);
  if (found.kind === "handover") await handOver(socket, found, head);
  // The connection is not given back: what was sent ahead is nobody's request.
  else await respondRaw(socket, found, signal);
}

async function handled(
  { handler, peers }: Calls,
  request: IncomingMessage,
  signal: AbortSignal,
): Promise<NodeAnswer> {
  try {
    return await handler(requestOf(request, {
      certificate: peers.proven(request.socket, Date.now()),
      signal,
    }));
  } catch {
    // Details may be secret: handlers log them, callers do not see them.
    return BROKEN;
  }
}
