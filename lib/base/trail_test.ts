import assert from "node:assert/strict";
import { Trail } from "./trail.ts";

function aTrail() {
  let nowMs = 0;
  const trail = new Trail({ monotonicMs: () => nowMs });
  return {
    trail,
    at(ms: number, what: string) {
      nowMs = ms;
      trail.note(what);
    },
  };
}

Deno.test("Trail.longest() names what ran longest between two moments", () => {
  const { trail, at } = aTrail();
  assert.equal(trail.longest(0, 10), undefined);
  at(5, "one");
  at(10, "two");
  at(910, "three");
  assert.deepEqual(trail.longest(8, 1_000), { what: "two", ms: 900 });
  assert.deepEqual(trail.longest(905, 1_000), { what: "three", ms: 90 });
});

Deno.test("Trail.longest() counts what had begun before only from then", () => {
  const { trail, at } = aTrail();
  at(0, "old");
  assert.deepEqual(trail.longest(100, 150), { what: "old", ms: 50 });
});

Deno.test("Trail.note() keeps the newest of many", () => {
  const { trail, at } = aTrail();
  for (let ms = 0; ms < 1_000; ms++) at(ms, `step ${ms}`);
  assert.deepEqual(trail.longest(999, 1_500), { what: "step 999", ms: 501 });
});
