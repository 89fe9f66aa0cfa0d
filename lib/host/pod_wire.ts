/**
 * One connection to a container, plain or TLS with any certificate, as reads
 * and writes. Called by pod_net.ts; closing it ends what is under way.
 */
import * as tls from "node:tls";
import { AgentError } from "../base/errors.ts";

export interface PodWire {
  write(bytes: Uint8Array): Promise<void>;
  /** Undefined at the end. */
  read(): Promise<Uint8Array | undefined>;
  close(): void;
}

export interface WireTarget {
  readonly scheme: "http" | "https";
  readonly host: string;
  readonly port: number;
}

/** `10.0.0.1:80`, `[fd00::1]:80` */
export function joinHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Connects; rejects with Go's words, or with the signal's reason. */
export async function openWire(
  target: WireTarget,
  signal: AbortSignal,
): Promise<PodWire> {
  signal.throwIfAborted();
  try {
    return target.scheme === "https"
      ? await openTls(target, signal)
      : plainWire(await dial(target, signal));
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw dialError(target, error);
  }
}

async function dial(target: WireTarget, signal: AbortSignal) {
  const { host: hostname, port } = target;
  const connection = await Deno.connect({ hostname, port, signal });
  if (!signal.aborted) return connection;
  connection.close();
  throw signal.reason;
}

function plainWire(connection: Deno.TcpConn): PodWire {
  const buffer = new Uint8Array(16 * 1024);
  let isOpen = true;
  return {
    async write(bytes) {
      for (let at = 0; at < bytes.length;) {
        at += await connection.write(bytes.subarray(at));
      }
    },
    async read() {
      const count = await connection.read(buffer);
      return count === null ? undefined : buffer.subarray(0, count);
    },
    close() {
      if (isOpen) connection.close();
      isOpen = false;
    },
  };
}

async function openTls(
  { host, port }: WireTarget,
  signal: AbortSignal,
): Promise<PodWire> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = tls.connect({ host, port, rejectUnauthorized: false });
  const stop = () => {
    socket.destroy();
    reject(signal.reason);
  };
  signal.addEventListener("abort", stop, { once: true });
  // The socket may fail again after it has been given up.
  socket.on("error", reject);
  socket.once("close", () => reject(new Error("EOF")));
  socket.once("secureConnect", () => resolve());
  try {
    await promise;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
  return tlsWire(socket);
}

/** What has not been read yet is left with the sender. */
function tlsWire(socket: tls.TLSSocket): PodWire {
  const chunks = socket.iterator({ destroyOnReturn: false });
  return {
    write(bytes) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      socket.write(bytes, (error) => error ? reject(error) : resolve());
      return promise;
    },
    async read() {
      const next = await chunks.next();
      return next.done === true ? undefined : next.value;
    },
    close: () => void socket.destroy(),
  };
}

const WORDS: ReadonlyMap<string, string> = new Map([
  ["ECONNREFUSED", "connect: connection refused"],
  ["ECONNRESET", "connect: connection reset by peer"],
  ["EHOSTUNREACH", "connect: no route to host"],
  ["ENETUNREACH", "connect: network is unreachable"],
  ["ETIMEDOUT", "connect: connection timed out"],
  ["EADDRNOTAVAIL", "connect: cannot assign requested address"],
  ["EMFILE", "socket: too many open files"],
]);

/** Compat: the words of Go's dialer, which people search for. */
function dialError({ host, port }: WireTarget, cause: unknown): AgentError {
  const address = joinHostPort(host, port);
  const text = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof Deno.errors.NotCapable) {
    const message = `dial tcp ${address}: the agent is not permitted to`;
    return new AgentError(message, { next: "give-up", cause });
  }
  const code = cause instanceof Error && "code" in cause ? cause.code : "";
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER") {
    const message = "http: server gave HTTP response to HTTPS client";
    return new AgentError(message, {
      next: "retry",
      reason: "PlainHttp",
      cause,
    });
  }
  const words = WORDS.get(String(code));
  const message = words !== undefined
    ? `dial tcp ${address}: ${words}`
    : /lookup address|ENOTFOUND|getaddrinfo/.test(text)
    ? `dial tcp: lookup ${host}: no such host`
    : text === "EOF"
    ? text
    : `dial tcp ${address}: ${text}`;
  return new AgentError(message, { next: "retry", cause });
}
