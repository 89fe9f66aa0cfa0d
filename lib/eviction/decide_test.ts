import assert from "node:assert/strict";
import { decide, memoryMargin, NOTHING_SHORT } from "./decide.ts";
import { aThreshold, observed, seen } from "./fixture_test.ts";
import type { Observations, Threshold } from "./types.ts";

const TRANSITION_MS = 5_000;

/** Rounds one after the other, told as `time: pressures | due`. */
class Rounds {
  readonly #thresholds: readonly Threshold[];
  #memory = NOTHING_SHORT;

  constructor(thresholds: readonly Threshold[]) {
    this.#thresholds = thresholds;
  }

  at(nowMs: number, list: Parameters<typeof seen>[0]): string {
    const observations: Observations = seen(list);
    const { next, pressures, due } = decide(
      { thresholds: this.#thresholds, observations },
      this.#memory,
      { nowMs, transitionMs: TRANSITION_MS },
    );
    this.#memory = next;
    return `${pressures.join(" ")}|${due.map((d) => d.signal).join(" ")}`;
  }
}

Deno.test("decide() is due at once below a hard threshold, not at it", () => {
  const rounds = new Rounds([aThreshold()]);
  const of = (available: bigint, atMs: number) => ({
    "memory.available": observed(available, atMs),
  });
  assert.equal(rounds.at(0, of(100n, 1)), "|");
  assert.equal(rounds.at(10, of(99n, 2)), "MemoryPressure|memory.available");
  // The same number again says nothing new.
  assert.equal(rounds.at(20, of(99n, 2)), "MemoryPressure|");
  assert.equal(rounds.at(30, of(99n, 3)), "MemoryPressure|memory.available");
});

Deno.test("decide() tells pressure at once, but waits for soft grace", () => {
  const rounds = new Rounds([aThreshold({ graceMs: 100 })]);
  const short = (atMs: number) => ({ "memory.available": observed(1n, atMs) });
  assert.equal(rounds.at(0, short(1)), "MemoryPressure|");
  assert.equal(rounds.at(99, short(2)), "MemoryPressure|");
  assert.equal(rounds.at(100, short(3)), "MemoryPressure|memory.available");
  // A break starts the grace anew.
  const enough = { "memory.available": observed(500n, 4) };
  assert.equal(rounds.at(110, enough), "MemoryPressure|");
  assert.equal(rounds.at(120, short(5)), "MemoryPressure|");
  assert.equal(rounds.at(220, short(6)), "MemoryPressure|memory.available");
});

Deno.test("decide() says when a soft threshold would be due", () => {
  const threshold = aThreshold({ graceMs: 100 });
  const { wakeAtMs } = decide(
    {
      thresholds: [threshold],
      observations: seen({ "memory.available": observed(1n) }),
    },
    NOTHING_SHORT,
    { nowMs: 7, transitionMs: 0 },
  );
  assert.equal(wakeAtMs, 107);
});

Deno.test("decide() keeps pressure for the transition period", () => {
  const rounds = new Rounds([aThreshold({ signal: "nodefs.available" })]);
  const short = { "nodefs.available": observed(1n, 1) };
  const enough = { "nodefs.available": observed(500n, 2) };
  assert.equal(rounds.at(0, short), "DiskPressure|nodefs.available");
  assert.equal(rounds.at(TRANSITION_MS - 1, enough), "DiskPressure|");
  assert.equal(rounds.at(TRANSITION_MS, enough), "|");
});

Deno.test("decide() goes on until the minimum is reclaimed", () => {
  const minReclaim = {
    kind: "quantity",
    quantity: 50n * 10n ** 9n,
    form: "decimal",
  } as const;
  const rounds = new Rounds([aThreshold({ minReclaim })]);
  const of = (available: bigint, atMs: number) => ({
    "memory.available": observed(available, atMs),
  });
  // Never short before: the minimum does not count.
  assert.equal(rounds.at(0, of(120n, 1)), "|");
  assert.match(rounds.at(1, of(90n, 2)), /\|memory/);
  assert.match(rounds.at(2, of(149n, 3)), /\|memory/);
  assert.match(rounds.at(3, of(150n, 4)), /\|$/);
  assert.match(rounds.at(4, of(149n, 5)), /\|$/);
});

Deno.test("decide() puts memory first and ignores what was not measured", () => {
  const rounds = new Rounds([
    aThreshold({ signal: "nodefs.available" }),
    aThreshold({ signal: "pid.available" }),
    aThreshold({ signal: "allocatableMemory.available" }),
    aThreshold({ signal: "imagefs.available" }),
  ]);
  assert.equal(
    rounds.at(0, {
      "nodefs.available": observed(1n),
      "pid.available": observed(1n),
      "allocatableMemory.available": observed(1n),
    }),
    "MemoryPressure DiskPressure PIDPressure|" +
      "allocatableMemory.available nodefs.available pid.available",
  );
  assert.equal(
    rounds.at(1, {}),
    "MemoryPressure DiskPressure PIDPressure|",
  );
});

Deno.test("memoryMargin() is the distance to the nearest threshold", () => {
  const thresholds = [
    aThreshold(),
    aThreshold({ signal: "allocatableMemory.available" }),
    aThreshold({ signal: "nodefs.available" }),
  ];
  const observations = seen({
    "memory.available": observed(500n),
    "allocatableMemory.available": observed(90n),
    "nodefs.available": observed(1n),
  });
  assert.equal(memoryMargin(thresholds, observations), -10n);
  assert.equal(memoryMargin(thresholds, new Map()), undefined);
});
