/**
 * A scope of background loops. The first loop that fails aborts the others;
 * closing the scope aborts all and waits for them. This is the only place
 * that may catch everything.
 */
import type { Logger } from "./log.ts";
import { chainOf, isAbort } from "./errors.ts";

export class TaskScope {
  readonly #controller = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #log: Logger;
  #failure: unknown;

  constructor(parent: AbortSignal, log: Logger) {
    this.#log = log;
    if (parent.aborted) this.#controller.abort(parent.reason);
    parent.addEventListener("abort", () => this.#abort(parent.reason), {
      once: true,
      signal: this.#controller.signal,
    });
  }

  /** Aborts when the scope closes, its parent aborts or one loop fails. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Starts one named loop. A failure is logged and ends the whole scope. */
  run(name: string, work: (signal: AbortSignal) => Promise<void>): void {
    const task = this.#guard(name, work);
    this.#running.add(task);
    task.finally(() => this.#running.delete(task));
  }

  /** Resolves when the scope has ended; rejects with the first failure. */
  async closed(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Aborts every loop and waits for all of them. */
  async close(reason: string): Promise<void> {
    this.#abort(new DOMException(reason, "AbortError"));
    await this.closed();
  }

  #abort(reason: unknown): void {
    if (!this.#controller.signal.aborted) this.#controller.abort(reason);
  }

  async #guard(
    name: string,
    work: (signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    try {
      await work(this.signal);
    } catch (error) {
      if (isAbort(error, this.signal)) return;
      this.#failure ??= error;
      this.#log.error("Loop failed", { loop: name, error: chainOf(error) });
      this.#abort(error);
    }
  }
}
