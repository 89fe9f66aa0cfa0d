/**
 * One secret or config map, as it is by now: watched, or asked for again and
 * again where the configuration says so. Made and stopped by objects.ts.
 *
 *   asked ──► live ◄──► silent (as last known; whoever is new asks directly)
 *               └─────► final  (immutable: nobody looks any more)
 */
import { AgentError, chainOf, isAbort } from "../base/errors.ts";
import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import { within } from "../base/wait.ts";
import type { ApiObject, ClusterObjects, ObjectNews } from "../port/cluster.ts";
import type { Detection } from "./types.ts";
import type { ObjectAsk } from "./types.ts";

/** For the first word of a watch; the adapter tries again meanwhile. */
const ANSWER_LIMIT_MS = 10_000;
/** Compat: kubelet 1.36 defaultTTL of the TTL based manager. */
const TTL_MS = 60_000;

export interface Known {
  readonly object: ApiObject | undefined;
  /** Another number for another object; 0: nothing was heard yet. */
  readonly version: number;
}

interface Ports {
  readonly objects: ClusterObjects;
  readonly clock: Clock;
  readonly random: Random;
}

interface What {
  readonly ask: ObjectAsk;
  readonly detection: Detection;
  /** The agent's own signal, once it runs. */
  readonly running: Promise<AbortSignal>;
  readonly changed: () => void;
}

/** Who asks. */
export interface Asker {
  /** Monotonic. */
  readonly bornAtMs: number;
  /** Was given the object before, and may go on with it. */
  readonly hasBefore: boolean;
}

export class FollowedObject {
  readonly #ports: Ports;
  readonly #what: What;
  readonly #stop = new AbortController();
  /** Ends sooner where nothing will ever change. */
  readonly #following = new AbortController();
  #known: Known = { object: undefined, version: 0 };
  #state: "asked" | "live" | "silent" | "final" = "asked";
  #told = Promise.withResolvers<void>();
  #fetch: Promise<void> | undefined;
  #fetchedAtMs = -Infinity;
  /** Counts what the watch says: an answer from before it is old. */
  #words = 0;

  constructor(ports: Ports, what: What) {
    this.#ports = ports;
    this.#what = what;
  }

  get version(): number {
    return this.#known.version;
  }

  /** Ends the watch and whatever is asked. */
  stop(): void {
    const reason = new DOMException("Nobody refers to it", "AbortError");
    this.#stop.abort(reason);
    this.#following.abort(reason);
  }

  /** Rejects where nobody knows and the server does not answer. */
  async get(asker: Asker): Promise<Known> {
    if (this.#state === "final") return this.#known;
    return this.#what.detection === "Watch"
      ? await this.#watched(asker)
      : await this.#polled(asker);
  }

  async #watched({ hasBefore }: Asker): Promise<Known> {
    const isFirst = this.#state === "asked";
    if (isFirst) await this.#firstWord();
    if (this.#state === "final") return this.#known;
    if (this.#state === "live") {
      // A missing object is looked for once more: the watch may lag.
      if (isFirst || this.#known.object !== undefined) return this.#known;
    } else if (hasBefore) return this.#known;
    await this.#ask();
    return this.#known;
  }

  async #polled({ bornAtMs, hasBefore }: Asker): Promise<Known> {
    const nowMs = this.#ports.clock.monotonicMs();
    const isFresh = this.#what.detection === "Cache" &&
      this.#known.object !== undefined && this.#fetchedAtMs >= bornAtMs &&
      nowMs - this.#fetchedAtMs < TTL_MS;
    if (isFresh) return this.#known;
    try {
      await this.#ask();
    } catch (error) {
      if (!hasBefore || this.#stop.signal.aborted) throw error;
    }
    return this.#known;
  }

  async #firstWord(): Promise<void> {
    const running = await this.#what.running;
    const { kind, namespace, name } = this.#what.ask;
    const late = new AgentError(
      `Cannot get ${kind} ${namespace}/${name}: no answer within ` +
        `${ANSWER_LIMIT_MS / 1000} s`,
      { next: "retry" },
    );
    const signal = AbortSignal.any([running, this.#stop.signal]);
    const limit = {
      clock: this.#ports.clock,
      ms: ANSWER_LIMIT_MS,
      signal,
      late,
    };
    await within(limit, () => this.#told.promise);
  }

  /** Those who ask at the same time share one request. */
  #ask(): Promise<void> {
    return this.#fetch ??= this.#askOnce().finally(() => {
      this.#fetch = undefined;
    });
  }

  async #askOnce(): Promise<void> {
    const signal = AbortSignal.any([
      await this.#what.running,
      this.#stop.signal,
    ]);
    const { kind, namespace, name } = this.#what.ask;
    const { objects, clock } = this.#ports;
    const words = this.#words;
    const askedAtMs = clock.monotonicMs();
    const ref = { namespace, name };
    const object = kind === "secret"
      ? await objects.secret(ref, signal)
      : await objects.configMap(ref, signal);
    this.#fetchedAtMs = askedAtMs;
    // What the watch has said meanwhile is newer.
    if (words === this.#words) this.#is(object);
  }

  /** Follows it until it is stopped; never rejects. */
  async run(): Promise<void> {
    const running = await this.#what.running;
    const signal = AbortSignal.any([running, this.#following.signal]);
    try {
      if (this.#what.detection === "Watch") await this.#watch(signal);
      else await this.#poll(signal);
    } catch (error) {
      if (isAbort(error, signal)) return;
      this.#hear({ kind: "silent", message: chainOf(error) });
    }
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { kind, ...ref } = this.#what.ask;
    for await (const news of this.#ports.objects.watch(kind, ref, signal)) {
      this.#hear(news);
    }
  }

  async #poll(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#ports;
    for (;;) {
      await clock.sleep(TTL_MS * (1 + random.fraction() / 2), signal);
      try {
        await this.#ask();
      } catch (error) {
        if (isAbort(error, signal)) throw error;
        this.#hear({ kind: "silent", message: chainOf(error) });
      }
    }
  }

  #hear(news: ObjectNews): void {
    this.#words++;
    if (this.#state !== "final") {
      this.#state = news.kind === "silent" ? "silent" : "live";
    }
    if (news.kind === "is") this.#is(news.object);
    this.#told.resolve();
  }

  #is(object: ApiObject | undefined): void {
    const { object: before, version } = this.#known;
    if (version > 0 && isSame(before, object)) return;
    this.#known = { object, version: version + 1 };
    if (object?.immutable === true) {
      this.#state = "final";
      this.#following.abort(new DOMException("It is final", "AbortError"));
    }
    this.#what.changed();
  }
}

function isSame(
  one: ApiObject | undefined,
  other: ApiObject | undefined,
): boolean {
  if (one === undefined || other === undefined) return one === other;
  const version = versionOf(one);
  return version !== undefined && version === versionOf(other);
}

/** Uid and version: one that was made anew is another. */
function versionOf({ metadata }: ApiObject): string | undefined {
  if (typeof metadata !== "object" || metadata === null) return undefined;
  const { uid, resourceVersion }: { uid?: unknown; resourceVersion?: unknown } =
    metadata;
  return resourceVersion === undefined
    ? undefined
    : `${uid}/${resourceVersion}`;
}
