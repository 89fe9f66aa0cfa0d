/** A bound on how many of some kind of work run at once, first come first. */

export class Semaphore {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** `count` pieces of work may run side by side. */
  constructor(count: number) {
    this.#free = count;
  }

  /** Runs `work` when there is room; rejects if `signal` aborts before that. */
  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#enter(signal);
    try {
      return await work();
    } finally {
      this.#leave();
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

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}
