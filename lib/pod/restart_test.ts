import assert from "node:assert/strict";
import { aFailed, NOW_MS } from "../../tests/build.ts";
import { restartDelay } from "./restart.ts";

const LONGEST_MS = 300_000;

Deno.test("restartDelay() counts from the exit and doubles for the next", () => {
  const table = [
    [0, 0, 10_000],
    [10_000, 10_000, 20_000],
    [160_000, 160_000, 300_000],
    [300_000, 300_000, 300_000],
    [999_000, 300_000, 300_000],
  ] as const;
  for (const [crashDelayMs, delayMs, nextCrashDelayMs] of table) {
    const made = restartDelay(
      aFailed({ crashDelayMs, finishedAtMs: NOW_MS }),
      LONGEST_MS,
    );
    assert.deepEqual(made, {
      delayMs,
      dueAtMs: NOW_MS + delayMs,
      nextCrashDelayMs,
    });
  }
});

Deno.test("restartDelay() keeps within a limit below the first delay", () => {
  const made = restartDelay(aFailed({ crashDelayMs: 0 }), 1_000);
  assert.equal(made.nextCrashDelayMs, 1_000);
  assert.equal(
    restartDelay(aFailed({ crashDelayMs: 1_000 }), 1_000).delayMs,
    1_000,
  );
});

Deno.test("restartDelay() forgets only after more than 600 s, whatever the limit", () => {
  // Compat: kubelet 1.36 crashLoopBackOff.HasExpiredFunc.
  for (const longestMs of [1_000, LONGEST_MS]) {
    const ran = (ms: number) =>
      restartDelay(
        aFailed({
          crashDelayMs: 1_000,
          startedAtMs: NOW_MS,
          finishedAtMs: NOW_MS + ms,
        }),
        longestMs,
      ).delayMs;
    assert.equal(ran(600_000), 1_000);
    assert.equal(ran(600_001), 0);
  }
});

Deno.test("restartDelay() takes the delay of another agent's container from its count", () => {
  const foreign = (count: number) => {
    const instance = aFailed({ attempt: count });
    const annotations = new Map(instance.annotations);
    annotations.delete("io.denolet.container.crashDelayMs");
    return restartDelay({ ...instance, annotations }, LONGEST_MS).delayMs;
  };
  assert.deepEqual([0, 1, 2, 3, 6, 5000].map(foreign), [
    0,
    10_000,
    20_000,
    40_000,
    300_000,
    300_000,
  ]);
});

Deno.test("restartDelay() treats a container that never started as just ended", () => {
  const made = restartDelay(
    aFailed({ crashDelayMs: 40_000, startedAtMs: 0, finishedAtMs: NOW_MS }),
    LONGEST_MS,
  );
  assert.equal(made.dueAtMs, NOW_MS + 40_000);
});
