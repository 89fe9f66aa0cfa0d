/**
 * A bell that stays rung until somebody answers: any number of rings while he
 * is busy are one more round of work, and none is lost.
 */
export class Bell {
  #rung = Promise.withResolvers<void>();

  ring(): void {
    this.#rung.resolve();
  }

  /** Waits for a ring since the last answer; rejects when `signal` aborts. */
  async answered(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const stopped = Promise.withResolvers<never>();
    const stop = () => stopped.reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    try {
      await Promise.race([this.#rung.promise, stopped.promise]);
    } finally {
      signal.removeEventListener("abort", stop);
    }
    this.#rung = Promise.withResolvers();
  }
}
