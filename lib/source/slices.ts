/**
 * Runs work that is cut into steps without holding up everybody else: after
 * a slice of time it lets the others have their turn.
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
