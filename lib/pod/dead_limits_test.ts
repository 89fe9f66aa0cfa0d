import assert from "node:assert/strict";
import { beyondLimits, type DeadLimits, keptAtOnce } from "./dead_limits.ts";

const ALL: DeadLimits = { perContainer: -1, total: -1, minAgeMs: 0 };
const unit = (name: string, ...ages: readonly number[]) =>
  ages.map((age) => ({ name: `${name}${age}`, createdAtMs: 100 - age }));

function gone(
  units: readonly ReturnType<typeof unit>[],
  own: Partial<DeadLimits>,
): string[] {
  return beyondLimits(units, { ...ALL, ...own }, 100)
    .map(({ name }) => name).sort();
}

Deno.test("beyondLimits() keeps the newest, as many as it may", () => {
  const units = [unit("a", 3, 1, 2), unit("b", 9)];
  const cases: readonly [Partial<DeadLimits>, readonly string[]][] = [
    [{}, []],
    [{ perContainer: 1 }, ["a2", "a3"]],
    [{ perContainer: 0 }, ["a1", "a2", "a3", "b9"]],
    // One of each first, and of those the oldest.
    [{ total: 2 }, ["a2", "a3"]],
    [{ total: 1 }, ["a2", "a3", "b9"]],
    [{ total: 0 }, ["a1", "a2", "a3", "b9"]],
    [{ total: 4 }, []],
    [{ total: 3 }, ["a2", "a3"]],
    [{ perContainer: 2, total: 9 }, ["a3"]],
    [{ perContainer: 0, minAgeMs: 3 }, ["a3", "b9"]],
  ];
  for (const [limits, expected] of cases) {
    assert.deepEqual(gone(units, limits), expected, JSON.stringify(limits));
  }
  assert.deepEqual(gone([], { total: 0 }), []);
});

Deno.test("keptAtOnce() keeps one in any case", () => {
  const of = (perContainer: number) => keptAtOnce({ ...ALL, perContainer });
  assert.deepEqual([-1, 0, 1, 3].map(of), [1, 1, 1, 3]);
});
