/**
 * Whose pull is next: a bound on pulls side by side, a rate with bursts, and
 * the more important pod first. Waits instead of failing (decision 0004).
 */
import type { Clock } from "../base/clock.ts";
import { isAbort } from "../base/errors.ts";
import { TokenBucket } from "../base/token_bucket.ts";

/**
 * So long a pull keeps others from theirs. A slower one goes on beside them, so
 * that a registry which hangs holds back nobody else.
 */
export const LONGEST_TURN_MS = 300_000;

export interface QueueLimits {
  /** How many pulls run side by side; Infinity: no bound. */
  readonly parallelPulls: number;
  /** Pulls a second, and how many at once after a quiet time; 0: no bound. */
  readonly pullsPerSecond: number;
  readonly burst: number;
}

interface Turn {
  readonly priority: number;
  readonly signal: AbortSignal;
  readonly enter: () => void;
}

export class PullQueue {
  readonly #clock: Clock;
  readonly #bucket: TokenBucket;
  #free: number;
  /** First come first, among equals. */
  #waiting: Turn[] = [];
  #isServing = false;

  constructor(clock: Clock, limits: QueueLimits) {
    this.#clock = clock;
    this.#bucket = new TokenBucket(limits.pullsPerSecond, limits.burst);
    this.#free = limits.parallelPulls;
  }

  /** Runs `work` when it is its turn; rejects if `signal` aborts before that. */
  async run<T>(
    work: () => Promise<T>,
    { priority, signal }: {
      readonly priority: number;
      readonly signal: AbortSignal;
    },
  ): Promise<T> {
    await this.#enter(priority, signal);
    const settled = new AbortController();
    const running = Promise.try(work)
      .finally(() => settled.abort(new DOMException("Done", "AbortError")));
    this.#leaveLater(settled.signal);
    return await running;
  }

  #enter(priority: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stop = () => {
      this.#waiting = this.#waiting.filter((each) => each !== turn);
      reject(signal.reason);
    };
    const turn: Turn = {
      priority,
      signal,
      enter: () => {
        signal.removeEventListener("abort", stop);
        resolve();
      },
    };
    signal.addEventListener("abort", stop, { once: true });
    this.#waiting.push(turn);
    this.#serve();
    return promise;
  }

  /** At the end of the work, or when it has taken its time. */
  #leaveLater(settled: AbortSignal): void {
    this.#clock.sleep(LONGEST_TURN_MS, settled).catch((error) => {
      if (!isAbort(error, settled)) throw error;
    }).then(() => {
      this.#free++;
      this.#serve();
    });
  }

  #serve(): void {
    if (this.#isServing) return;
    this.#isServing = true;
    this.#serveAll().finally(() => {
      this.#isServing = false;
      if (this.#free > 0 && this.#waiting.length > 0) this.#serve();
    });
  }

  async #serveAll(): Promise<void> {
    for (;;) {
      const first = this.#first();
      if (this.#free <= 0 || first === undefined) return;
      try {
        await this.#bucket.take(this.#clock, first.signal);
      } catch (error) {
        if (isAbort(error, first.signal)) continue;
        throw error;
      }
      // Whoever is first by now: somebody more important may have come.
      const next = this.#first();
      if (next === undefined) return;
      this.#waiting = this.#waiting.filter((each) => each !== next);
      this.#free--;
      next.enter();
    }
  }

  #first(): Turn | undefined {
    return this.#waiting.reduce<Turn | undefined>(
      (best, turn) =>
        best === undefined || turn.priority > best.priority ? turn : best,
      undefined,
    );
  }
}
