/**
 * `Listener` by `Deno.serve`, on TCP or on a Unix socket that only its owner
 * may open. Handlers see our own request type; their failures are logged by
 * whoever wraps them and answered with a bare 500.
 */
import { dirname } from "node:path";
import { AgentError } from "../base/errors.ts";
import type {
  Handler,
  IncomingRequest,
  ListenAddress,
  Listener,
  OutgoingResponse,
} from "../port/net.ts";
import { failure } from "./errno.ts";
import { makeDirectories } from "./beneath.ts";
import type { Libc } from "./libc.ts";

const OWNER_ONLY = 0o700;
/** Leaves a new socket with mode 0600 from its first moment on. */
const SOCKET_MASK = 0o177;

export class HostListener implements Listener {
  readonly #libc: Libc;

  constructor(libc: Libc) {
    this.#libc = libc;
  }

  async serve(
    address: ListenAddress,
    handler: Handler,
    signal: AbortSignal,
  ): Promise<void> {
    if (signal.aborted) return;
    if (address.kind === "unix") await this.#makeWay(address.path);
    const server = this.#start(
      address,
      (request) => answer(request, handler, signal),
      signal,
    );
    await server.finished;
  }

  #start(
    address: ListenAddress,
    handler: (request: Request) => Promise<Response>,
    signal: AbortSignal,
  ): Deno.HttpServer<Deno.Addr> {
    const common = { signal, onListen() {}, onError: refusal };
    try {
      if (address.kind === "tcp") {
        const { host: hostname, port } = address;
        return Deno.serve({ ...common, hostname, port }, handler);
      }
      const old = this.#libc.umask(SOCKET_MASK);
      try {
        return Deno.serve({ ...common, path: address.path }, handler);
      } finally {
        this.#libc.umask(old);
      }
    } catch (cause) {
      const isRefused = cause instanceof Deno.errors.NotCapable;
      throw new AgentError(`Cannot listen on ${shown(address)}`, {
        next: isRefused ? "give-up" : "retry",
        cause,
      });
    }
  }

  /** Creates the directory; removes the socket of an agent that is no more. */
  async #makeWay(path: string): Promise<void> {
    const directory = dirname(path);
    const trees = {
      libc: this.#libc,
      roots: [directory],
      links: "refuse",
    } as const;
    const made = makeDirectories(trees, directory, OWNER_ONLY);
    if (made < 0) throw failure(`Cannot create ${directory}`, -made);
    const state = await lookAt(path);
    if (state === "absent") return;
    if (state === "dead") return await Deno.remove(path);
    const why = state === "live"
      ? "another agent is serving there"
      : "something that is not a socket is in the way";
    throw new AgentError(`Cannot listen on ${path}: ${why}`, {
      next: "give-up",
    });
  }
}

async function lookAt(
  path: string,
): Promise<"absent" | "dead" | "live" | "other"> {
  try {
    const found = await Deno.lstat(path);
    if (!found.isSocket) return "other";
    const connection = await Deno.connect({ transport: "unix", path });
    connection.close();
    return "live";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "absent";
    if (error instanceof Deno.errors.ConnectionRefused) return "dead";
    throw new AgentError(`Cannot look at ${path}`, {
      next: "retry",
      cause: error,
    });
  }
}

async function answer(
  request: Request,
  handler: Handler,
  serving: AbortSignal,
): Promise<Response> {
  const ending = new AbortController();
  const signal = AbortSignal.any([ending.signal, serving]);
  try {
    const outgoing = await handler(incoming(request, signal));
    return responseFrom(outgoing, ending, signal);
  } catch {
    // Details may be secret: handlers log them, callers do not see them.
    return refusal();
  }
}

function refusal(): Response {
  return new Response("Internal error\n", { status: 500 });
}

function incoming(request: Request, signal: AbortSignal): IncomingRequest {
  const url = new URL(request.url);
  return {
    method: request.method,
    path: url.pathname,
    query: new Map(url.searchParams),
    // Only on demand: without `--unstable-no-legacy-abort` Deno also aborts
    // the request's own signal after success, and warns whoever touched it.
    get signal() {
      return AbortSignal.any([signal, request.signal]);
    },
  };
}

function responseFrom(
  outgoing: OutgoingResponse,
  ending: AbortController,
  signal: AbortSignal,
): Response {
  const body = typeof outgoing.body === "string"
    ? outgoing.body
    : streamFrom(outgoing.body, ending, signal);
  return new Response(body, {
    status: outgoing.status,
    headers: { "content-type": outgoing.contentType },
  });
}

/** Pulls chunk by chunk, and ends the source as soon as nobody listens. */
function streamFrom(
  source: AsyncIterable<Uint8Array>,
  ending: AbortController,
  signal: AbortSignal,
): ReadableStream<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  signal.addEventListener("abort", () => endQuietly(iterator), { once: true });
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (signal.aborted) return;
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
    // The client went away, or the server stopped.
    cancel: (reason) => ending.abort(reason),
  }, { highWaterMark: 1 });
}

/** The source's own failure to end has nobody left to be told to. */
async function endQuietly(iterator: AsyncIterator<Uint8Array>): Promise<void> {
  await Promise.allSettled([iterator.return?.()]);
}

function shown(address: ListenAddress): string {
  return address.kind === "tcp"
    ? `${address.host}:${address.port}`
    : address.path;
}
