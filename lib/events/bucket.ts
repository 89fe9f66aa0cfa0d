/** A rate with bursts as plain numbers: who asks brings the time along. */

export interface Rate {
  /** 0: no bound. */
  readonly perSecond: number;
  readonly burst: number;
}

/** What a bucket held at a moment. */
export interface Bucket {
  readonly tokens: number;
  readonly atMs: number;
}

/** The bucket after one more taker; below zero the taker has to wait. */
export function take(
  bucket: Bucket | undefined,
  rate: Rate,
  nowMs: number,
): Bucket {
  const { perSecond, burst } = rate;
  const passedMs = Math.max(0, nowMs - (bucket?.atMs ?? nowMs));
  const filled = (bucket?.tokens ?? burst) + passedMs / 1000 * perSecond;
  return { tokens: Math.min(burst, filled) - 1, atMs: nowMs };
}

/** How long a taker waits for its turn. */
export function waitMs({ tokens }: Bucket, { perSecond }: Rate): number {
  if (perSecond <= 0 || tokens >= 0) return 0;
  return -tokens / perSecond * 1000;
}
