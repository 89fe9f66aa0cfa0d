/**
 * The outside observer of a cluster: one watch on the API server, with the
 * moment each object was first seen Ready, and gone. Every agent is timed by
 * it, never by its own words.
 */
import type { Seen, WatchEvent } from "./cluster_api.ts";

const PATIENCE_MS = 180_000;

export type Milestone = "ready" | "gone";

type Sighting = Readonly<Record<Milestone, PromiseWithResolvers<number>>>;

export class ApiObserver {
  readonly #sightings = new Map<string, Sighting>();

  /** Follows events until `signal` aborts. */
  async run(
    events: AsyncIterable<WatchEvent>,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      for await (const event of events) this.#note(event);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    if (!signal.aborted) throw new Error("Cannot watch: the stream has ended");
  }

  #note({ type, object }: WatchEvent): void {
    const nowMs = performance.now();
    const name = object.metadata?.name;
    if (type === "ERROR" || name === undefined) {
      throw new Error(`Cannot watch: ${type} ${JSON.stringify(object)}`);
    }
    const sighting = this.#of(name);
    if (type === "DELETED") {
      sighting.gone.resolve(nowMs);
      // The next object of this name has a life of its own.
      this.#sightings.delete(name);
    } else if (isReady(object)) {
      sighting.ready.resolve(nowMs);
    }
  }

  #of(name: string): Sighting {
    const known = this.#sightings.get(name);
    if (known !== undefined) return known;
    const fresh = {
      ready: Promise.withResolvers<number>(),
      gone: Promise.withResolvers<number>(),
    };
    this.#sightings.set(name, fresh);
    return fresh;
  }

  /**
   * When the last of them got there, by `performance.now()`. Ask before the
   * order is given: what is gone is forgotten.
   */
  async allAre(
    milestone: Milestone,
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<number> {
    let missing = names.length;
    const arrivals = names.map(async (name) => {
      const atMs = await this.#of(name)[milestone].promise;
      missing--;
      return atMs;
    });
    const { promise: late, reject } = Promise.withResolvers<never>();
    const giveUp = () => reject(signal.reason);
    signal.addEventListener("abort", giveUp);
    if (signal.aborted) giveUp();
    const timer = setTimeout(() => {
      reject(
        new Error(`Cannot see ${missing} of ${names.length} ${milestone}`),
      );
    }, PATIENCE_MS);
    try {
      return Math.max(...await Promise.race([Promise.all(arrivals), late]));
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", giveUp);
    }
  }
}

function isReady({ status }: Seen): boolean {
  return status?.conditions?.some(({ type, status }) =>
    type === "Ready" && status === "True"
  ) ?? false;
}
