/**
 * Arithmetic of growing delays. No timers and no clock: callers keep the small
 * `Backoff` value and pass the time in.
 */

export interface BackoffLimits {
  readonly initialMs: number;
  readonly maxMs: number;
  /** After this long without a failure the next delay is the first again. */
  readonly forgetAfterMs: number;
}

/** State after at least one failure. */
export interface Backoff {
  readonly delayMs: number;
  readonly failedAtMs: number;
}

/**
 * The state after one more failure at `nowMs`: the first delay, or the double
 * of the last one up to the limit.
 */
export function afterFailure(
  previous: Backoff | undefined,
  nowMs: number,
  limits: BackoffLimits,
): Backoff {
  const first = Math.min(limits.initialMs, limits.maxMs);
  const isFresh = previous === undefined ||
    nowMs - previous.failedAtMs > limits.forgetAfterMs;
  const delayMs = isFresh
    ? first
    : Math.min(previous.delayMs * 2, limits.maxMs);
  return { delayMs, failedAtMs: nowMs };
}

/** When the next try is due, epoch milliseconds. */
export function dueAtMs(backoff: Backoff): number {
  return backoff.failedAtMs + backoff.delayMs;
}
