import assert from "node:assert/strict";
import { afterFailure, type Backoff, dueAtMs } from "./backoff.ts";

const LIMITS = { initialMs: 10, maxMs: 60, forgetAfterMs: 1_000 };

Deno.test("afterFailure() doubles up to the limit", () => {
  let state: Backoff | undefined;
  const delays = Array.from({ length: 5 }, (_, i) => {
    state = afterFailure(state, i, LIMITS);
    assert.equal(dueAtMs(state), i + state.delayMs);
    return state.delayMs;
  });
  assert.deepEqual(delays, [10, 20, 40, 60, 60]);
});

Deno.test("afterFailure() starts over after a long quiet time only", () => {
  const before = { delayMs: 40, failedAtMs: 0 };
  assert.equal(afterFailure(before, 1_000, LIMITS).delayMs, 60);
  assert.equal(afterFailure(before, 1_001, LIMITS).delayMs, 10);
});

Deno.test("afterFailure() keeps a first delay within the limit", () => {
  const tight = { ...LIMITS, maxMs: 3 };
  assert.equal(afterFailure(undefined, 0, tight).delayMs, 3);
});
