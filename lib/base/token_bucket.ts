/** A rate with bursts; whoever takes waits for its turn. */
import type { Clock } from "./clock.ts";

export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  /** Monotonic time at which the bucket was, or will be, empty of debt. */
  #paidUntilMs = -Infinity;

  /** `perSecond` 0 or less means no bound; `burst` is what a full bucket holds. */
  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond;
    this.#burst = Math.max(1, burst);
  }

  /** Resolves when it is the taker's turn. */
  async take(clock: Clock, signal: AbortSignal): Promise<void> {
    if (this.#perSecond <= 0) return;
    const costMs = 1000 / this.#perSecond;
    const nowMs = clock.monotonicMs();
    const fullMs = nowMs - costMs * this.#burst;
    this.#paidUntilMs = Math.max(this.#paidUntilMs, fullMs) + costMs;
    const waitMs = this.#paidUntilMs - nowMs;
    if (waitMs > 0) await clock.sleep(waitMs, signal);
  }
}
