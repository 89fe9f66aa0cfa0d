/** A moment that may come sooner than it was set, never later. */
import type { Clock } from "../base/clock.ts";
import { isAbort } from "../base/errors.ts";

export class Deadline {
  readonly #clock: Clock;
  #atMs: number;
  #shortened = new AbortController();

  /** `atMs`: epoch milliseconds. */
  constructor(clock: Clock, atMs: number) {
    this.#clock = clock;
    this.#atMs = atMs;
  }

  get atMs(): number {
    return this.#atMs;
  }

  /** Aborts when the moment that stands now comes sooner. */
  get shortened(): AbortSignal {
    return this.#shortened.signal;
  }

  /** A later moment changes nothing. */
  shorten(atMs: number): void {
    if (atMs >= this.#atMs) return;
    this.#atMs = atMs;
    const before = this.#shortened;
    this.#shortened = new AbortController();
    before.abort(new DOMException("It comes sooner", "AbortError"));
  }

  /**
   * Resolves when `work` has ended or the moment has come, whatever is first.
   * `work` goes on; rejects when it does or when `signal` aborts.
   */
  async wait(work: Promise<void>, signal: AbortSignal): Promise<void> {
    const done = new AbortController();
    const passed = this.#pass(AbortSignal.any([signal, done.signal]));
    try {
      await Promise.race([work, passed]);
    } finally {
      // Nobody sees it; to make an error takes a look at the whole stack.
      done.abort("done");
      await passed.catch((error) => {
        if (!isAbort(error, done.signal)) throw error;
      });
    }
    signal.throwIfAborted();
  }

  async #pass(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const restMs = this.#atMs - this.#clock.nowMs();
      if (restMs <= 0) return;
      const { shortened } = this;
      try {
        await this.#clock.sleep(restMs, AbortSignal.any([signal, shortened]));
      } catch (error) {
        if (signal.aborted || !shortened.aborted) throw error;
      }
    }
  }
}
