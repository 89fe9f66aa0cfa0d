/**
 * Long work in small steps: everything runs on one thread, so whoever has much
 * to do lets others have their turn. The steps themselves have to be short.
 */
import type { Clock } from "./clock.ts";

/** Many times a second, and yet little is lost by going round. */
const LONGEST_MS = 5;

export class Turns {
  readonly #clock: Clock;
  readonly #never = new AbortController().signal;
  #sinceMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sinceMs = clock.monotonicMs();
  }

  /** Between two steps: resolves at once, or after everybody else's turn. */
  async next(): Promise<void> {
    if (this.#clock.monotonicMs() - this.#sinceMs < LONGEST_MS) return;
    await this.#clock.sleep(0, this.#never);
    this.#sinceMs = this.#clock.monotonicMs();
  }
}
