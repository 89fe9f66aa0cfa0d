/**
 * Calls the API server: fresh credentials, the rate of each lane, one more
 * try after 401 with other credentials and after 429 when the server says
 * when, a deadline over all of it, JSON in and out, `AgentError`s only.
 */
import type { Clock } from "../base/clock.ts";
import { AgentError } from "../base/errors.ts";
import { orAborted } from "../base/wait.ts";
import type { ApiObject } from "../port/cluster.ts";
import type { Credentials, Secrets } from "./credentials.ts";
import {
  refusalOf,
  refused,
  type ServerRefusal,
  unreachable,
} from "./errors.ts";
import { parseObject } from "./json.ts";
import { type OnAnswer, told } from "./told.ts";
import type { TokenBucket } from "../base/token_bucket.ts";
import {
  type Lane,
  type Transport,
  WaitedTooLong,
  type WireAnswer,
  type WireStream,
} from "./transport.ts";

/** Compat: client-go: at most ten tries of one request. */
const MOST_TRIES = 10;
const LONGEST_RETRY_AFTER_SECONDS = 30;
/** The answer of a watch begins at once, even if nothing happens for long. */
const STREAM_OPEN_MS = 30_000;

export interface Ask {
  /** Verb and object, for errors: `get node a`. */
  readonly doing: string;
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: ApiObject;
  /** Of the body; JSON when absent. */
  readonly contentType?: string;
  /** `main` when absent. */
  readonly lane?: Lane;
  /** The longest answer to take; that of one object when absent. */
  readonly mostBytes?: number;
}

export interface ClientParts {
  readonly credentials: Credentials;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly rates: Readonly<Partial<Record<Lane, TokenBucket>>>;
  /** `main` holds for the others. */
  readonly deadlinesMs: Readonly<
    Record<"main", number> & Partial<Record<Lane, number>>
  >;
  readonly userAgent: string;
  readonly onAnswer?: OnAnswer;
}

export class Client {
  readonly #parts: ClientParts;
  /** The server's clock, and ours at that moment. */
  #heard: { readonly serverMs: number; readonly atMs: number } | undefined;
  #secrets: Secrets | undefined;

  constructor(parts: ClientParts) {
    this.#parts = parts;
  }

  get clock(): Clock {
    return this.#parts.clock;
  }

  async object(ask: Ask, signal: AbortSignal): Promise<ApiObject> {
    const text = await this.text(ask, signal);
    return parseObject(text, ask.doing, this.#server);
  }

  /** The body of an answer below 300. */
  async text(ask: Ask, signal: AbortSignal): Promise<string> {
    const lane = ask.lane ?? "main";
    const { deadlinesMs } = this.#parts;
    const limitMs = deadlinesMs[lane] ?? deadlinesMs.main;
    return await this.#within(
      { ask, limitMs, signal },
      async (limited) => {
        await this.#parts.rates[lane]?.take(this.clock, limited);
        for (let tries = 1;; tries++) {
          const answer = await this.#send(ask, limited);
          if (answer.status < 300) return answer.text;
          const refusal = refusalIn(answer.status, answer.headers, answer.text);
          if (!await this.#mayRepeat(refusal, tries, limited)) {
            throw refused(ask.doing, refusal);
          }
        }
      },
    );
  }

  /** The answer piece by piece; fails when the server refuses. */
  async stream(ask: Ask, signal: AbortSignal): Promise<WireStream> {
    await this.#parts.rates.main?.take(this.clock, signal);
    const secrets = await this.#current(ask, signal);
    const opening = new AbortController();
    const timer = setTimeout(
      () =>
        opening.abort(
          new WaitedTooLong(`no answer within ${STREAM_OPEN_MS / 1000} s`),
        ),
      STREAM_OPEN_MS,
    );
    try {
      const both = AbortSignal.any([signal, opening.signal]);
      const wire = this.#wire(ask, secrets);
      const { transport } = this.#parts;
      const stream = await told(
        this.#parts,
        { wire, secrets },
        () => transport.follow(wire, secrets, both),
      );
      this.#hear(stream.headers.date);
      if (stream.status < 300) return stream;
      const text = await stream.text();
      const refusal = refusalIn(stream.status, stream.headers, text);
      if (refusal.status === 401) this.#parts.credentials.forget();
      throw refused(ask.doing, refusal);
    } catch (error) {
      throw this.failure(error, ask, signal);
    } finally {
      clearTimeout(timer);
    }
  }

  serverTimeMs(): number | undefined {
    return this.#heard === undefined
      ? undefined
      : this.#heard.serverMs + this.clock.monotonicMs() - this.#heard.atMs;
  }

  reconnect(): void {
    this.#parts.credentials.forget();
    this.#parts.transport.drop();
  }

  close(): void {
    this.#parts.transport.drop();
  }

  /** What to throw for a failure on the way. */
  failure(error: unknown, ask: Ask, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason;
    if (error instanceof AgentError && error.message.includes(ask.doing)) {
      return error;
    }
    const nowMs = this.clock.nowMs();
    return unreachable(error, {
      doing: ask.doing,
      server: this.#server,
      nowMs,
    });
  }

  get #server(): string {
    return this.#secrets?.access.server ?? "the API server";
  }

  async #within<T>(
    call: {
      readonly ask: Ask;
      readonly limitMs: number;
      readonly signal: AbortSignal;
    },
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { ask, limitMs, signal } = call;
    signal.throwIfAborted();
    const late = new AbortController();
    const timer = setTimeout(
      () =>
        late.abort(
          new WaitedTooLong(`deadline of ${limitMs / 1000} s passed`),
        ),
      limitMs,
    );
    try {
      return await work(AbortSignal.any([signal, late.signal]));
    } catch (error) {
      // The way there may be dead, and so the idle connections beside it.
      const isLate = late.signal.aborted;
      if (isLate) this.#parts.transport.dropIdle(ask.lane ?? "main");
      throw this.failure(isLate ? late.signal.reason : error, ask, signal);
    } finally {
      clearTimeout(timer);
    }
  }

  async #send(ask: Ask, signal: AbortSignal): Promise<WireAnswer> {
    const secrets = await this.#current(ask, signal);
    const { transport } = this.#parts;
    const wire = this.#wire(ask, secrets);
    const answer = await told(
      this.#parts,
      { wire, secrets },
      () => transport.send(wire, secrets, signal),
    );
    this.#hear(answer.headers.date);
    return answer;
  }

  /** A plugin may take its time, but the caller need not. */
  async #current(ask: Ask, signal: AbortSignal): Promise<Secrets> {
    try {
      const found = this.#parts.credentials.current();
      return this.#secrets = await orAborted(found, signal);
    } catch (cause) {
      if (!(cause instanceof AgentError)) throw cause;
      const { next } = cause;
      throw new AgentError(`Cannot ${ask.doing}`, { next, cause });
    }
  }

  #wire(ask: Ask, secrets: Secrets) {
    const query = new URLSearchParams(ask.query ?? {}).toString();
    const { authorization } = secrets;
    return {
      lane: ask.lane ?? "main",
      method: ask.method,
      path: query === "" ? ask.path : `${ask.path}?${query}`,
      headers: {
        accept: "application/json",
        "user-agent": this.#parts.userAgent,
        ...(authorization === undefined ? {} : { authorization }),
        ...(ask.body === undefined
          ? {}
          : { "content-type": ask.contentType ?? "application/json" }),
      },
      body: ask.body === undefined ? undefined : JSON.stringify(ask.body),
      ...(ask.mostBytes === undefined ? {} : { mostBytes: ask.mostBytes }),
    };
  }

  /** Waits as long as the server wants, where it wants to be asked again. */
  async #mayRepeat(
    refusal: ServerRefusal,
    tries: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    if (refusal.status === 401) {
      this.#parts.credentials.forget();
      return tries === 1;
    }
    const seconds = refusal.retryAfterSeconds;
    // Compat: client-go: 429 and 5xx, but only with Retry-After.
    const isTemporary = refusal.status === 429 || refusal.status >= 500;
    if (!isTemporary || seconds === undefined || tries >= MOST_TRIES) {
      return false;
    }
    const waitSeconds = Math.min(seconds, LONGEST_RETRY_AFTER_SECONDS);
    await this.clock.sleep(waitSeconds * 1000, signal);
    return true;
  }

  #hear(date: string | undefined): void {
    const serverMs = Date.parse(date ?? "");
    if (Number.isNaN(serverMs)) return;
    this.#heard = { serverMs, atMs: this.clock.monotonicMs() };
  }
}

function refusalIn(
  status: number,
  headers: WireAnswer["headers"],
  text: string,
): ServerRefusal {
  return refusalOf({ status, text, retryAfter: headers["retry-after"] });
}
