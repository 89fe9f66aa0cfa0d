/** A bound on how many of some kind of work run at once, first come first. */
import type { Clock } from "./clock.ts";

/** After this long, work counts as waiting for others and takes no room. */
export interface Patience {
  readonly clock: Clock;
  readonly ms: number;
}

export class Semaphore {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  readonly #patience: Patience | undefined;

  /**
   * `count` pieces of work may run side by side. Without `patience` work that
   * never ends keeps its room for ever.
   */
  constructor(count: number, patience?: Patience) {
    this.#free = count;
    this.#patience = patience;
  }

  /** Runs `work` when there is room; rejects if `signal` aborts before that. */
  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#enter(signal);
    const done = new AbortController();
    const leave = this.#leaveOnce();
    const { clock, ms = 0 } = this.#patience ?? {};
    clock?.sleep(ms, done.signal).then(leave, () => {
      // The work was done first.
    });
    try {
      return await work();
    } finally {
      // Nobody sees it; to make an error takes a look at the whole stack.
      done.abort("done");
      leave();
    }
  }

  #enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free--;
      return Promise.resolve();
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stop = () => {
      const index = this.#waiting.indexOf(enter);
      if (index >= 0) this.#waiting.splice(index, 1);
      reject(signal.reason);
    };
    const enter = () => {
      signal.removeEventListener("abort", stop);
      resolve();
    };
    this.#waiting.push(enter);
    signal.addEventListener("abort", stop, { once: true });
    return promise;
  }

  #leaveOnce(): () => void {
    let isIn = true;
    return () => {
      if (isIn) this.#leave();
      isIn = false;
    };
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}
