/**
 * Asks the API server about a caller: a failure that may pass is tried again,
 * all of it within a deadline, because the caller waits.
 */
import type { Clock } from "../base/clock.ts";
import { AgentError, nextOf } from "../base/errors.ts";
import { within } from "../base/wait.ts";

// Compat: apiserver 0.36 DefaultAuthWebhookRetryBackoff, without its jitter.
const FIRST_WAIT_MS = 500;
const FACTOR = 1.5;
const MOST_TRIES = 5;
const DEADLINE_MS = 10_000;

export async function patiently<T>(
  clock: Clock,
  signal: AbortSignal,
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AgentError(
    "Cannot ask the API server about a caller: deadline of " +
      `${DEADLINE_MS / 1000} s passed`,
    { next: "retry" },
  );
  return await within(
    { clock, ms: DEADLINE_MS, signal, late },
    async (both) => {
      for (let tries = 1, waitMs = FIRST_WAIT_MS;; tries++, waitMs *= FACTOR) {
        try {
          return await ask(both);
        } catch (error) {
          const isOver = tries === MOST_TRIES || nextOf(error) !== "retry";
          if (both.aborted || isOver) throw error;
        }
        await clock.sleep(waitMs, both);
      }
    },
  );
}
