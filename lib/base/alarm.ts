/** A wait that somebody may cut short. One waiter, any number of ringers. */
import type { Clock } from "./clock.ts";
import { isAbort } from "./errors.ts";

export class Alarm {
  /** Made once: to make one takes a look at the whole stack. */
  readonly #reason = new DOMException("Rung", "AbortError");
  #rung = Promise.withResolvers<void>();

  /** Ends the present wait, or the next one if nobody waits now. */
  ring(): void {
    this.#rung.resolve();
  }

  /** Resolves after `ms` or on a ring; rejects when `signal` aborts. */
  async wait(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
    const timer = new AbortController();
    const both = AbortSignal.any([signal, timer.signal]);
    const slept = clock.sleep(ms, both);
    try {
      await Promise.race([slept, this.#rung.promise]);
    } finally {
      this.#rung = Promise.withResolvers();
      timer.abort(this.#reason);
      await slept.catch((error) => {
        if (!isAbort(error, both)) throw error;
      });
    }
    signal.throwIfAborted();
  }
}
