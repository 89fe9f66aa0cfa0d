/**
 * Remembers answers of the API server about callers for a while, and asks only
 * once for what several ask at the same time. A failure is never remembered.
 * Bounded: what was not asked for longest goes first.
 */
import type { Clock } from "../base/clock.ts";

// Compat: apiserver 0.36 webhook authorizer: its cache holds as many.
const MOST_ENTRIES = 8192;

interface Entry<T> {
  readonly value: T;
  readonly untilMs: number;
}

export class ReviewCache<T> {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #lifeMs: (value: T) => number;
  readonly #known = new Map<string, Entry<T>>();
  readonly #asked = new Map<string, Promise<T>>();

  constructor(
    clock: Pick<Clock, "monotonicMs">,
    lifeMs: (value: T) => number,
  ) {
    this.#clock = clock;
    this.#lifeMs = lifeMs;
  }

  /** `ask` must not depend on who asks: its answer is shared. */
  get(key: string, ask: () => Promise<T>): Promise<T> {
    const known = this.#known.get(key);
    if (known !== undefined) {
      this.#known.delete(key);
      if (known.untilMs > this.#clock.monotonicMs()) {
        this.#known.set(key, known);
        return Promise.resolve(known.value);
      }
    }
    const asked = this.#asked.get(key);
    if (asked !== undefined) return asked;
    const answer = this.#remember(key, ask);
    this.#asked.set(key, answer);
    return answer;
  }

  async #remember(key: string, ask: () => Promise<T>): Promise<T> {
    try {
      const value = await ask();
      const lifeMs = this.#lifeMs(value);
      if (lifeMs > 0) {
        const untilMs = this.#clock.monotonicMs() + lifeMs;
        this.#known.set(key, { value, untilMs });
        const [oldest] = this.#known.keys();
        if (this.#known.size > MOST_ENTRIES && oldest !== undefined) {
          this.#known.delete(oldest);
        }
      }
      return value;
    } finally {
      this.#asked.delete(key);
    }
  }
}
