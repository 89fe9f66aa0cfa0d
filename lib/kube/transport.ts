/**
 * HTTP/1.1 to the API server: one request with its whole answer, or one whose
 * answer comes piece by piece. Knows lanes (pools of connections that never
 * wait for each other) and when connections must be made anew; knows nothing
 * of Kubernetes. Every wait has an end.
 */
import type { Agent, IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import * as http from "node:http";
import * as https from "node:https";
import { isSamePeer, type Secrets } from "./credentials.ts";
import { diagnose } from "./diagnose.ts";
import { agentFor } from "./dial.ts";
import { Multiplex } from "./multiplex.ts";

/** Heartbeats never wait for others, and a watch keeps its connection. */
export type Lane = "main" | "events" | "heartbeat" | "watch" | "objects";

const MOST_SOCKETS: Readonly<Record<Lane, number>> = {
  main: 32,
  events: 4,
  heartbeat: 2,
  watch: Infinity,
  /** Where HTTP/2 is not spoken; see multiplex.ts. */
  objects: Infinity,
};
/** An object is at most 1.5 MiB in etcd; its JSON may be longer. */
const LONGEST_OBJECT_BYTES = 16 * 1024 * 1024;
/** What is longer is an object, or it is no answer of an API server. */
const LONGEST_TEXT_BYTES = 64 * 1024;
const OPENING_BRACE = 0x7b;

export interface WireRequest {
  readonly lane: Lane;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** Of the answer; those of an object when absent. */
  readonly mostBytes?: number;
}

export interface WireAnswer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

/** An answer that has begun. */
export interface WireStream {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  /** Fails when nothing comes for `silenceMs`, or the way is dead; on abort. */
  chunks(silenceMs: number): AsyncGenerator<Uint8Array, void, undefined>;
  /** The rest as text, for an answer that is a refusal. */
  text(): Promise<string>;
}

/** A wait of ours that ended; `cause` of an `AgentError`. */
export class WaitedTooLong extends Error {
  override readonly name = "WaitedTooLong";
}

export class Transport {
  readonly #agents = new Map<Lane, Agent>();
  readonly #multiplex = new Multiplex();
  #secrets: Secrets | undefined;

  /** Sends one request; `signal` ends it, deadlines are the caller's. */
  async send(
    request: WireRequest,
    secrets: Secrets,
    signal: AbortSignal,
  ): Promise<WireAnswer> {
    const answer = await this.#open(request, secrets, signal);
    const text = await readAll(answer, request.mostBytes);
    return {
      status: answer.statusCode ?? 0,
      headers: answer.headers,
      text,
    };
  }

  /** Sends one request and resolves when its answer begins. */
  async follow(
    request: WireRequest,
    secrets: Secrets,
    signal: AbortSignal,
  ): Promise<WireStream> {
    if (request.lane === "objects") {
      const shared = await this.#share(request, secrets, signal);
      if (shared !== undefined) return shared;
    }
    const answer = await this.#open(request, secrets, signal);
    return {
      status: answer.statusCode ?? 0,
      headers: answer.headers,
      chunks: (silenceMs) => chunksOf(answer, silenceMs),
      text: () => readAll(answer),
    };
  }

  /** Undefined: the server does not do that. */
  async #share(
    request: WireRequest,
    secrets: Secrets,
    signal: AbortSignal,
  ): Promise<WireStream | undefined> {
    this.#meet(secrets);
    try {
      const answer = await this.#multiplex.open(request, secrets, signal);
      if (answer === undefined) return undefined;
      const { status, headers, body } = answer;
      return {
        status,
        headers,
        // The connection itself is asked whether it lives.
        chunks: () => chunksOf(body, undefined),
        text: () => readAll(body),
      };
    } catch (error) {
      if (signal.aborted) throw error;
      throw await diagnose(error, secrets);
    }
  }

  /** Ends every connection, idle and busy. */
  drop(): void {
    this.#multiplex.drop();
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }

  /** Ends the connections of a lane that nothing is under way on. */
  dropIdle(lane: Lane): void {
    const idle = Object.values(this.#agents.get(lane)?.freeSockets ?? {});
    for (const socket of idle.flat()) socket?.destroy();
  }

  /**
   * An idle connection may have been closed by the server just now: that is
   * no failure, the request goes out once more on a new one.
   */
  async #open(
    request: WireRequest,
    secrets: Secrets,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    for (;;) {
      signal.throwIfAborted();
      const agent = this.#agent(request.lane, secrets);
      const { answer, isReused } = exchange(request, {
        agent,
        server: secrets.access.server,
        signal,
      });
      try {
        return await answer;
      } catch (error) {
        if (signal.aborted) throw error;
        if (!isReused() || !isHangUp(error)) {
          throw await diagnose(error, secrets);
        }
      }
    }
  }

  /** Other credentials mean other connections. */
  #meet(secrets: Secrets): void {
    if (this.#secrets !== undefined && !isSamePeer(this.#secrets, secrets)) {
      this.drop();
    }
    this.#secrets = secrets;
  }

  #agent(lane: Lane, secrets: Secrets): Agent {
    this.#meet(secrets);
    const known = this.#agents.get(lane);
    if (known !== undefined) return known;
    const made = agentFor(secrets, MOST_SOCKETS[lane]);
    this.#agents.set(lane, made);
    return made;
  }
}

function exchange(
  request: WireRequest,
  how: {
    readonly agent: Agent;
    readonly server: string;
    readonly signal: AbortSignal;
  },
): {
  readonly answer: Promise<IncomingMessage>;
  readonly isReused: () => boolean;
} {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const open = how.server.startsWith("http://") ? http.request : https.request;
  const outgoing = open(`${how.server}${request.path}`, {
    method: request.method,
    agent: how.agent,
    headers: {
      ...request.headers,
      ...(request.body === undefined
        ? {}
        : { "content-length": new TextEncoder().encode(request.body).length }),
    },
  });
  const stop = () => outgoing.destroy(asError(how.signal.reason));
  how.signal.addEventListener("abort", stop, { once: true });
  const forget = () => how.signal.removeEventListener("abort", stop);
  // Stays for late failures too: without a listener they would be uncaught.
  outgoing.on("error", (error) => {
    forget();
    reject(error);
  });
  outgoing.once("response", (answer) => {
    answer.once("close", forget);
    resolve(answer);
  });
  outgoing.end(request.body);
  return { answer: promise, isReused: () => outgoing.reusedSocket === true };
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

function isHangUp(error: unknown): boolean {
  const code = codeOf(error);
  return code === "ECONNRESET" || code === "EPIPE";
}

/** Node's `code` of an error; empty without one. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error &&
      typeof error.code === "string"
    ? error.code
    : "";
}

/** Bytes, not text, until the end: they are given back at once. */
async function readAll(
  answer: Readable,
  mostBytes = LONGEST_OBJECT_BYTES,
): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of answer) {
    chunks.push(chunk);
    length += chunk.length;
    const isObject = chunks[0]?.[0] === OPENING_BRACE;
    const most = isObject ? mostBytes : LONGEST_TEXT_BYTES;
    if (length > most) {
      answer.destroy();
      const start = new TextDecoder().decode(chunks[0]?.slice(0, 60));
      throw new Error(
        `the answer is longer than ${most} bytes: ${JSON.stringify(start)}`,
      );
    }
  }
  const decoder = new TextDecoder();
  const texts = chunks.map((each) => decoder.decode(each, { stream: true }));
  return texts.join("") + decoder.decode();
}

async function* chunksOf(
  answer: Readable,
  silenceMs: number | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const pieces = answer[Symbol.asyncIterator]();
  try {
    for (;;) {
      // Only our own waiting counts: a slow reader is not a silent server.
      const timer = silenceMs === undefined ? undefined : setTimeout(
        () =>
          answer.destroy(
            new WaitedTooLong(`nothing came for ${silenceMs / 1000} s`),
          ),
        silenceMs,
      );
      const next = await pieces.next().finally(() => clearTimeout(timer));
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    answer.destroy();
  }
}
