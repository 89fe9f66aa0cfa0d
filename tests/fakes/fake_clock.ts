/**
 * A clock that stands still until a test moves it. `advance` wakes sleepers in
 * order of their time and lets the code that awaited them run before the next.
 */
import { setImmediate } from "node:timers";
import type { Clock } from "../../lib/base/clock.ts";

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
}

export class FakeClock implements Clock {
  readonly #sleepers = new Set<Sleeper>();
  #monotonicMs = 0;
  #wallMs: number;

  constructor(nowMs = Date.UTC(2026, 0, 2, 3, 4, 5)) {
    this.#wallMs = nowMs;
  }

  nowMs(): number {
    return this.#wallMs + this.#monotonicMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (signal.aborted) {
      reject(signal.reason);
      return promise;
    }
    const stop = () => {
      this.#sleepers.delete(sleeper);
      reject(signal.reason);
    };
    const sleeper: Sleeper = {
      dueMs: this.#monotonicMs + Math.max(0, ms),
      wake: () => {
        signal.removeEventListener("abort", stop);
        resolve();
      },
    };
    this.#sleepers.add(sleeper);
    signal.addEventListener("abort", stop, { once: true });
    return promise;
  }

  /** How many are asleep; a test may wait for somebody to lie down. */
  get sleepers(): number {
    return this.#sleepers.size;
  }

  /** Lets `ms` pass, stopping at every sleeper's time on the way. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#monotonicMs + ms;
    await settled();
    for (
      let next = this.#nextDue(endMs);
      next !== undefined;
      next = this.#nextDue(endMs)
    ) {
      this.#monotonicMs = Math.max(this.#monotonicMs, next.dueMs);
      this.#sleepers.delete(next);
      next.wake();
      await settled();
    }
    this.#monotonicMs = endMs;
    await settled();
  }

  /** Sets the wall clock forward or back, as NTP or an operator may. */
  jump(ms: number): void {
    this.#wallMs += ms;
  }

  #nextDue(endMs: number): Sleeper | undefined {
    let first: Sleeper | undefined;
    for (const sleeper of this.#sleepers) {
      if (sleeper.dueMs > endMs) continue;
      if (first === undefined || sleeper.dueMs < first.dueMs) first = sleeper;
    }
    return first;
  }
}

/** Resolves when everything that can run without time passing has run. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => resolve()));
}
