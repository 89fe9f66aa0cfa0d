/** Waiting for work that goes on without us: until a signal, or a deadline. */
import type { Clock } from "./clock.ts";

/** What `work` brings; rejects with the signal's reason when that is sooner. */
export async function orAborted<T>(
  work: Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** A limit on somebody else's work, whatever its own deadlines are. */
export interface Limit {
  readonly clock: Clock;
  readonly ms: number;
  readonly signal: AbortSignal;
  /** What it rejects with once the time is over; absent: `TimeoutError`. */
  readonly late?: Error;
}

/**
 * The outcome of `work`, or a rejection once the time is over or the signal
 * aborts. Work that ignores its signal is left behind, not waited for.
 */
export async function within<T>(
  { clock, ms, signal, late }: Limit,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const end = new AbortController();
  const stop = new AbortController();
  const abort = () => stop.abort(signal.reason);
  signal.addEventListener("abort", abort, { once: true, signal: end.signal });
  const over = clock.sleep(ms, end.signal).then(
    () => stop.abort(late ?? timeout(ms)),
    // The work was done first.
    () => undefined,
  );
  try {
    return await orAborted(work(stop.signal), stop.signal);
  } finally {
    end.abort();
    await over;
  }
}

function timeout(ms: number): DOMException {
  return new DOMException(`No answer in ${ms} ms`, "TimeoutError");
}
