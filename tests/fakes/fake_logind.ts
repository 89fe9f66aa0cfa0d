/** An in-memory logind, and a service manager that remembers what it heard. */
import { AgentError } from "../../lib/base/errors.ts";
import type {
  Logind,
  LogindSession,
  ServiceManager,
  ShutdownLock,
} from "../../lib/port/service_manager.ts";

interface Listener {
  readonly told: boolean[];
  wake: () => void;
}

export class FakeLogind implements Logind {
  readonly #listeners = new Set<Listener>();
  readonly #locks = new Set<ShutdownLock>();
  /** Nobody is there to be asked. */
  isAway = false;
  delayMs = 30_000;
  /** The longest wait that its configuration may give it. */
  mostDelayMs = Infinity;
  isPreparing = false;

  get heldCount(): number {
    return this.#locks.size;
  }

  /** Goes down now, or does not after all, and says so. */
  prepare(what: "shutdown" | "cancellation"): void {
    this.isPreparing = what === "shutdown";
    for (const { told, wake } of this.#listeners) {
      told.push(this.isPreparing);
      wake();
    }
  }

  /** Ends, and nobody is there until `isAway` is false again. */
  leave(): void {
    this.isAway = true;
    for (const { wake } of this.#listeners) wake();
    this.#listeners.clear();
  }

  open(): Promise<LogindSession> {
    return this.#answer(() => {
      const listener: Listener = { told: [], wake: () => {} };
      this.#listeners.add(listener);
      return {
        inhibitDelayMs: () => this.#answer(() => this.delayMs),
        configureDelay: (seconds) =>
          this.#answer(() => {
            this.delayMs = Math.min(seconds * 1000, this.mostDelayMs);
          }),
        inhibit: () => this.#answer(() => this.#lock()),
        isPreparing: () => this.#answer(() => this.isPreparing),
        changes: (signal) => this.#changes(listener, signal),
        close: () => void this.#listeners.delete(listener),
      };
    });
  }

  #lock(): ShutdownLock {
    const lock = { release: () => void this.#locks.delete(lock) };
    this.#locks.add(lock);
    return lock;
  }

  async *#changes(
    listener: Listener,
    signal: AbortSignal,
  ): AsyncGenerator<boolean> {
    while (!signal.aborted) {
      const next = listener.told.shift();
      if (next !== undefined) {
        yield next;
        continue;
      }
      if (!this.#listeners.has(listener)) throw away();
      await new Promise<void>((resolve) => {
        listener.wake = resolve;
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  }

  #answer<T>(make: () => T): Promise<T> {
    return this.isAway ? Promise.reject(away()) : Promise.try(make);
  }
}

function away(): AgentError {
  return new AgentError("Logind is not there", { next: "retry" });
}

export class FakeManager implements ServiceManager {
  /** What it was told, line by line. */
  readonly heard: string[] = [];
  isListening = true;
  watchdogMs: number | undefined = undefined;
  mainPid: number | undefined = undefined;
  /** Its word, when it is asked. */
  goesDown = false;

  notify(...lines: readonly string[]): string | undefined {
    if (this.isListening) this.heard.push(...lines);
    return undefined;
  }

  isGoingDown(): Promise<boolean> {
    return Promise.resolve(this.goesDown);
  }
}
