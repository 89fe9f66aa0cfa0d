/**
 * Time as a port. The system clock below is the only reader of real time in
 * the whole program; everything else is handed a `Clock` (or just `nowMs`).
 */
import { setImmediate } from "node:timers";

/** What the inside may know about time. */
export interface Clock {
  /** Wall clock, epoch milliseconds. May jump; use it for what people read. */
  nowMs(): number;
  /** Monotonic milliseconds since an arbitrary start. Use it for durations. */
  monotonicMs(): number;
  /**
   * Waits `ms` milliseconds (at most 2^31-1; longer waits are cut to that); 0
   * only until all others that are ready have had their turn.
   * Rejects with the signal's reason as soon as it aborts.
   */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** 24 days: timers that are longer ring at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The real clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep(ms, signal) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (signal.aborted) {
      reject(signal.reason);
      return promise;
    }
    if (ms <= 0) return othersTurn();
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, Math.min(ms, LONGEST_TIMER_MS));
    signal.addEventListener("abort", stop, { once: true });
    return promise;
  },
};

/**
 * A timer of 0 rings only after 2 ms, whoever waits. One turn of the loop is
 * too few: whoever is to answer a request needs several, with what the kernel
 * has for it in between.
 */
const TURN_MS = 0.3;

async function othersTurn(): Promise<void> {
  const untilMs = performance.now() + TURN_MS;
  do await new Promise<void>((resolve) =>
    setImmediate(() => resolve())
  ); while (performance.now() < untilMs);
}
