/**
 * Requests a second with bursts: `kubeAPIQPS` and `kubeAPIBurst`. The caller
 * waits for its turn and gives it back to nobody.
 */
import type { Clock } from "../base/clock.ts";

export class Rate {
  readonly #perSecond: number;
  readonly #burst: number;
  /** Monotonic time until which requests are spoken for. */
  #takenUntilMs = -Infinity;

  /** `perSecond` 0 or less means no bound. */
  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond;
    this.#burst = Math.max(1, burst);
  }

  /** Resolves when it is the caller's turn. */
  async take(clock: Clock, signal: AbortSignal): Promise<void> {
    if (this.#perSecond <= 0) return;
    const costMs = 1000 / this.#perSecond;
    const nowMs = clock.monotonicMs();
    const fullMs = nowMs - costMs * this.#burst;
    this.#takenUntilMs = Math.max(this.#takenUntilMs, fullMs) + costMs;
    const waitMs = this.#takenUntilMs - nowMs;
    if (waitMs > 0) await clock.sleep(waitMs, signal);
  }
}
