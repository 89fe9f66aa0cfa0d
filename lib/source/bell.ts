/**
 * A bell that stays rung until somebody answers: any number of rings while he
 * is busy are one more round of work, and none is lost.
 */
import { orAborted } from "../base/wait.ts";

export class Bell {
  #rung = Promise.withResolvers<void>();

  ring(): void {
    this.#rung.resolve();
  }

  /** Waits for a ring since the last answer; rejects when `signal` aborts. */
  async answered(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await orAborted(this.#rung.promise, signal);
    this.#rung = Promise.withResolvers();
  }
}
