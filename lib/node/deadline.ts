/** A limit on somebody else's work, whatever its own deadlines are. */
import type { Clock } from "../base/clock.ts";

export interface Limit {
  readonly clock: Clock;
  readonly ms: number;
  readonly signal: AbortSignal;
}

/**
 * The outcome of `work`, or a rejection once the time is over or the signal
 * aborts. Work that ignores its signal is left behind, not waited for.
 */
export async function within<T>(
  { clock, ms, signal }: Limit,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const end = new AbortController();
  const stop = new AbortController();
  const abort = () => stop.abort(signal.reason);
  signal.addEventListener("abort", abort, { once: true, signal: end.signal });
  const over = clock.sleep(ms, end.signal).then(
    () => stop.abort(new DOMException(`No answer in ${ms} ms`, "TimeoutError")),
    // The work was done first.
    () => undefined,
  );
  const stopped = Promise.withResolvers<never>();
  const reject = () => stopped.reject(stop.signal.reason);
  stop.signal.addEventListener("abort", reject, { once: true });
  try {
    return await Promise.race([work(stop.signal), stopped.promise]);
  } finally {
    end.abort();
    await over;
  }
}
