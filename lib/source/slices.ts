/**
 * Runs work that is cut into steps: at once, or without holding up everybody
 * else, which lets the others have their turn after a slice of time.
 */
import type { Clock } from "../base/clock.ts";

const SLICE_MS = 8;

export async function inSlices<T>(
  steps: Generator<void, T, void>,
  clock: Clock,
  signal: AbortSignal,
): Promise<T> {
  let startedMs = clock.monotonicMs();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (clock.monotonicMs() - startedMs < SLICE_MS) continue;
    await clock.sleep(0, signal);
    startedMs = clock.monotonicMs();
  }
}

export function atOnce<T>(steps: Generator<void, T, void>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
