/**
 * Work by key: a burst of wakes is one pass, two passes of one key never
 * overlap, different keys run side by side. The queue knows nothing about the
 * work; it owns only when it happens.
 */
import type { Clock } from "./clock.ts";
import { Pace } from "./pace.ts";
import { orAborted } from "./wait.ts";

/** False when what a wake told of has been seen by a pass in the meantime. */
type IsNews = () => boolean;

interface Entry {
  /** Woken while its pass was running, or not yet started. */
  isDirty: boolean;
  /** Wakes that count only while they are still news. */
  hints: IsNews[];
  isRunning: boolean;
  /** Monotonic milliseconds of the start of the running pass. */
  sinceMs: number | undefined;
  /** Monotonic milliseconds of the earliest timed wake. */
  wakeAtMs: number | undefined;
  pass: AbortController | undefined;
}

/** One pass; returns the wall time of the next look, if one is needed. */
export type Pass<Key> = (
  key: Key,
  signal: AbortSignal,
) => Promise<number | undefined>;

export class KeyedQueue<Key> {
  /** Made once: to make one takes a look at the whole stack. */
  readonly #newer = new DOMException("A newer order came", "AbortError");
  readonly #clock: Clock;
  readonly #entries = new Map<Key, Entry>();
  /** Resolved, and made anew, when a key has nothing left to do. */
  #finished = Promise.withResolvers<void>();
  #changed = Promise.withResolvers<void>();
  #timer: { dueMs: number; controller: AbortController } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Asks for a pass soon. Cheap, idempotent, never lost. */
  wake(key: Key): void {
    this.#entry(key).isDirty = true;
    this.#notify();
  }

  /**
   * Asks for a pass unless a pass that is running now makes it needless:
   * `isNews` is asked when the pass could start.
   */
  hint(key: Key, isNews: IsNews): void {
    this.#entry(key).hints.push(isNews);
    this.#notify();
  }

  /** Asks for a pass at a wall time; the earliest of several counts. */
  wakeAt(key: Key, atMs: number): void {
    const entry = this.#entry(key);
    const due = this.#clock.monotonicMs() +
      Math.max(0, atMs - this.#clock.nowMs());
    entry.wakeAtMs = Math.min(entry.wakeAtMs ?? Infinity, due);
    this.#notify();
  }

  /** Aborts the running pass of a key and asks for a new one. */
  interrupt(key: Key): void {
    const entry = this.#entry(key);
    entry.isDirty = true;
    entry.pass?.abort(this.#newer);
    this.#notify();
  }

  /** How long the pass of a key has been running; 0 when none is. */
  runningMs(key: Key): number {
    const sinceMs = this.#entries.get(key)?.sinceMs;
    return sinceMs === undefined ? 0 : this.#clock.monotonicMs() - sinceMs;
  }

  /** Keys with a pass that is running or due, for those who look inside. */
  get busyCount(): number {
    return [...this.#entries.values()]
      .filter((entry) => entry.isRunning || this.#isDue(entry)).length;
  }

  /** Resolves once nothing of these keys runs, is due, or has a timed wake. */
  async idle(keys: readonly Key[], signal: AbortSignal): Promise<void> {
    while (keys.some((key) => this.#entries.has(key))) {
      await orAborted(this.#finished.promise, signal);
    }
  }

  /**
   * Runs passes until `signal` aborts, then waits for those under way. `pass`
   * must not throw; a throw ends the queue, because it is a bug.
   */
  async run(pass: Pass<Key>, signal: AbortSignal): Promise<void> {
    const running = new Set<Promise<void>>();
    const failures: unknown[] = [];
    const stop = () => this.#notify();
    signal.addEventListener("abort", stop, { once: true });
    try {
      while (!signal.aborted && failures.length === 0) {
        this.#changed = Promise.withResolvers<void>();
        // Many at once would hold up everybody else till each has begun.
        const pace = new Pace(this.#clock);
        for (const [key, entry] of [...this.#entries]) {
          if (signal.aborted || !this.#isDue(entry)) continue;
          const work = this.#one(key, { entry, pass, signal })
            .catch((error) => {
              failures.push(error);
              this.#notify();
            })
            .finally(() => running.delete(work));
          running.add(work);
          await pace.step();
        }
        this.#arm();
        await this.#changed.promise;
      }
    } finally {
      signal.removeEventListener("abort", stop);
      this.#timer?.controller.abort();
      this.#timer = undefined;
      await Promise.allSettled(running);
    }
    if (failures.length > 0) throw failures[0];
  }

  async #one(
    key: Key,
    how: { entry: Entry; pass: Pass<Key>; signal: AbortSignal },
  ): Promise<void> {
    const { entry } = how;
    const controller = new AbortController();
    entry.isDirty = false;
    entry.hints = [];
    entry.isRunning = true;
    entry.sinceMs = this.#clock.monotonicMs();
    entry.wakeAtMs = undefined;
    entry.pass = controller;
    try {
      const both = AbortSignal.any([how.signal, controller.signal]);
      const nextMs = await how.pass(key, both);
      if (nextMs !== undefined) this.wakeAt(key, nextMs);
    } finally {
      entry.isRunning = false;
      entry.sinceMs = undefined;
      entry.pass = undefined;
      entry.hints = entry.hints.filter((isNews) => isNews());
      const isIdle = !entry.isDirty && entry.hints.length === 0 &&
        entry.wakeAtMs === undefined;
      if (isIdle) this.#forget(key);
      this.#notify();
    }
  }

  #forget(key: Key): void {
    this.#entries.delete(key);
    this.#finished.resolve();
    this.#finished = Promise.withResolvers();
  }

  #isDue(entry: Entry): boolean {
    if (entry.isRunning) return false;
    return entry.isDirty || entry.hints.length > 0 ||
      (entry.wakeAtMs ?? Infinity) <= this.#clock.monotonicMs();
  }

  /** Sets the one timer to the earliest timed wake, if that is another. */
  #arm(): void {
    const times = [...this.#entries.values()]
      .filter((entry) => !entry.isRunning)
      .map((entry) => entry.wakeAtMs ?? Infinity);
    const dueMs = Math.min(Infinity, ...times);
    if (dueMs === this.#timer?.dueMs) return;
    this.#timer?.controller.abort();
    this.#timer = undefined;
    if (dueMs === Infinity) return;
    const controller = new AbortController();
    this.#timer = { dueMs, controller };
    const waitMs = dueMs - this.#clock.monotonicMs();
    this.#clock.sleep(waitMs, controller.signal).then(() => {
      this.#timer = undefined;
      this.#notify();
    }, () => {
      // Another wake came first.
    });
  }

  #entry(key: Key): Entry {
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const entry: Entry = {
      isDirty: false,
      hints: [],
      isRunning: false,
      sinceMs: undefined,
      wakeAtMs: undefined,
      pass: undefined,
    };
    this.#entries.set(key, entry);
    return entry;
  }

  #notify(): void {
    this.#changed.resolve();
  }
}
