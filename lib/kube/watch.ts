/**
 * Lists and watches for ever, as client-go's reflector does: bookmarks, a new
 * list when the version is too old (410) or the watch was garbled, a new
 * connection when nothing comes for too long, growing delays after failures.
 * Fails only by the abort of its signal.
 *
 *   listing ──► watching ──► (ended) watching
 *      ▲            │ 410, garbled: listing    failed: wait, then the same
 *      └────────────┘
 */
import { afterFailure, type Backoff } from "../base/backoff.ts";
import { AgentError, chainOf } from "../base/errors.ts";
import { objectIn, textIn } from "../base/json.ts";
import type { Random } from "../base/random.ts";
import type { ApiObject } from "../port/cluster.ts";
import type { Client } from "./client.ts";
import {
  isRefusedConnection,
  refusalOf,
  refused,
  statusOf,
  withoutQuote,
} from "./errors.ts";
import { objectsIn } from "./json.ts";
import type { Lane } from "./transport.ts";
import { watchEvents } from "./watch_lines.ts";

/** Compat: client-go Reflector: 800 ms doubled to 30 s, forgotten after 2 min. */
const DELAYS = { initialMs: 800, maxMs: 30_000, forgetAfterMs: 120_000 };
/** The first failure is mostly an idle or restarted connection: try at once. */
const FIRST_DELAY_MS = 50;
/**
 * Unlike client-go: to ask a port on which nobody listens costs the server
 * nothing, and the node is back soon after it.
 */
const LONGEST_REFUSED_MS = 4000;
/** Compat: client-go minWatchTimeout: 5 to 10 minutes. */
const WATCH_SECONDS = 300;
/** The server sends a bookmark every minute; half as much again is too long. */
const SILENCE_MS = 90_000;
/** A watch that ends sooner, without a word, was no good. */
const SHORT_WATCH_MS = 1000;

export interface Collection {
  /** Of the collection: `/api/v1/pods`. */
  readonly path: string;
  readonly fieldSelector: string;
  /** `watch the pods of node a`, for errors. */
  readonly doing: string;
  /** Of the list; those of one object when absent. */
  readonly mostBytes?: number;
  /** The least time that one watch lasts; 5 minutes when absent. */
  readonly watchSeconds?: number;
  /** `watch` when absent. */
  readonly lane?: Lane;
  /** No error may quote what the server answered. */
  readonly isConfidential?: boolean;
}

export type ObjectNews =
  | { readonly kind: "listed"; readonly objects: readonly ApiObject[] }
  | { readonly kind: "changed"; readonly object: ApiObject }
  | { readonly kind: "deleted"; readonly object: ApiObject }
  | { readonly kind: "silent"; readonly message: string }
  | { readonly kind: "steady" };

export interface WatchParts {
  readonly client: Client;
  readonly random: Random;
  /** Shorter in tests. */
  readonly silenceMs?: number;
}

export async function* watchObjects(
  parts: WatchParts,
  what: Collection,
  signal: AbortSignal,
): AsyncGenerator<ObjectNews, never, undefined> {
  const watch = new Watch(parts, what, signal);
  for (;;) {
    try {
      yield* watch.round();
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (!(error instanceof AgentError)) throw error;
      const isQuoted = what.isConfidential === true &&
        error.reason === "Nonsense";
      const delay = watch.failed(isQuoted ? withoutQuote(what.doing) : error);
      if (delay.message !== undefined) {
        yield { kind: "silent", message: delay.message };
      }
      await parts.client.clock.sleep(delay.waitMs, signal);
    }
  }
}

/** Undefined for as long as there is no such object. */
export async function* watchObject(
  parts: WatchParts,
  what: Collection,
  signal: AbortSignal,
): AsyncGenerator<ApiObject | undefined, never, undefined> {
  for await (const news of watchObjects(parts, what, signal)) {
    if (news.kind === "listed") yield news.objects[0];
    if (news.kind === "changed") yield news.object;
    if (news.kind === "deleted") yield undefined;
  }
  throw new Error("A watch never ends");
}

class Watch {
  readonly #parts: WatchParts;
  readonly #what: Collection;
  readonly #signal: AbortSignal;
  /** Where to go on; undefined: list first. */
  #version: string | undefined;
  #failures: { readonly count: number; readonly backoff: Backoff } | undefined;
  /** What was last told of a silence that lasts. */
  #silence: string | undefined;

  constructor(parts: WatchParts, what: Collection, signal: AbortSignal) {
    this.#parts = parts;
    this.#what = what;
    this.#signal = signal;
  }

  /** One list, where needed, and one watch to its end. */
  async *round(): AsyncGenerator<ObjectNews, void, undefined> {
    if (this.#version === undefined) {
      const objects = await this.#list();
      this.#silence = undefined;
      yield { kind: "listed", objects };
    }
    yield* this.#watch(this.#version ?? "");
  }

  /** What to do after a failure. */
  failed(
    error: AgentError,
  ): { readonly waitMs: number; readonly message: string | undefined } {
    const nowMs = this.#parts.client.clock.monotonicMs();
    if (statusOf(error) === 410 || error.reason === "Nonsense") {
      this.#version = undefined;
    }
    const before = this.#failures;
    const isFirst = before === undefined ||
      nowMs - before.backoff.failedAtMs > DELAYS.forgetAfterMs;
    if (isFirst) {
      this.#failures = {
        count: 1,
        backoff: { delayMs: DELAYS.initialMs / 2, failedAtMs: nowMs },
      };
      return { waitMs: FIRST_DELAY_MS, message: undefined };
    }
    const backoff = afterFailure(before.backoff, nowMs, DELAYS);
    this.#failures = { count: before.count + 1, backoff };
    const limitMs = isRefusedConnection(error)
      ? LONGEST_REFUSED_MS
      : DELAYS.maxMs;
    const waitMs = Math.min(
      backoff.delayMs * (1 + this.#parts.random.fraction()),
      limitMs * (1 - this.#parts.random.fraction() / 4),
    );
    return { waitMs, message: this.#silenceBy(chainOf(error)) };
  }

  #silenceBy(message: string): string | undefined {
    if (this.#silence === message) return undefined;
    return this.#silence = message;
  }

  async #list(): Promise<readonly ApiObject[]> {
    const { path, fieldSelector, doing, mostBytes } = this.#what;
    const list = await this.#parts.client.object(
      {
        doing,
        method: "GET",
        path,
        // An empty version asks for the truth, not for a cache that lags.
        query: { fieldSelector, resourceVersion: "" },
        ...(mostBytes === undefined ? {} : { mostBytes }),
      },
      this.#signal,
    );
    const version = textIn(objectIn(list, "metadata"), "resourceVersion");
    if (version === undefined || !Array.isArray(list.items)) {
      throw new AgentError(`Cannot ${doing}: the answer is no list`, {
        next: "retry",
        reason: "Nonsense",
      });
    }
    this.#version = version;
    return objectsIn(list, "items");
  }

  async *#watch(from: string): AsyncGenerator<ObjectNews, void, undefined> {
    const { path, fieldSelector, doing } = this.#what;
    const { client, random, silenceMs = SILENCE_MS } = this.#parts;
    const { watchSeconds = WATCH_SECONDS } = this.#what;
    const seconds = Math.floor(watchSeconds * (1 + random.fraction()));
    const startMs = client.clock.monotonicMs();
    const query = {
      fieldSelector,
      watch: "true",
      allowWatchBookmarks: "true",
      resourceVersion: from,
      timeoutSeconds: String(seconds),
    };
    const { lane = "watch" } = this.#what;
    const ask = { doing, method: "GET", path, query, lane } as const;
    const stream = await client.stream(ask, this.#signal);
    if (this.#silence !== undefined) {
      this.#silence = undefined;
      yield { kind: "steady" };
    }
    let count = 0;
    try {
      for await (
        const { type, object } of watchEvents(
          stream.chunks(silenceMs),
          doing,
        )
      ) {
        if (type === "ERROR") throw watchError(object, doing);
        count++;
        const version = textIn(objectIn(object, "metadata"), "resourceVersion");
        if (version !== undefined) this.#version = version;
        if (type === "BOOKMARK") continue;
        yield type === "DELETED"
          ? { kind: "deleted", object }
          : { kind: "changed", object };
      }
    } catch (error) {
      throw client.failure(error, ask, this.#signal);
    }
    const lastedMs = client.clock.monotonicMs() - startMs;
    if (count === 0 && lastedMs < SHORT_WATCH_MS) {
      throw new AgentError(`Cannot ${doing}: the server ended it at once`, {
        next: "retry",
      });
    }
  }
}

/** The server puts a Status into the stream where it cannot go on. */
function watchError(status: ApiObject, doing: string): AgentError {
  const code = typeof status.code === "number" ? status.code : 500;
  const text = JSON.stringify(status);
  const refusal = refusalOf({ status: code, text, retryAfter: undefined });
  return refused(doing, refusal);
}
