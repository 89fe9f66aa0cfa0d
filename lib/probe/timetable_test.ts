import assert from "node:assert/strict";
import { type Timed, Timetable } from "./timetable.ts";

interface Named extends Timed {
  readonly name: string;
}

function named(name: string): Named {
  return { name, dueMs: undefined };
}

Deno.test("Timetable gives what is due, in order of time", () => {
  const table = new Timetable<Named>();
  // A fixed shuffle of 0..100.
  const times = Array.from({ length: 101 }, (_, at) => (at * 37) % 101);
  for (const ms of times) table.set(named(String(ms)), ms);
  const taken: number[] = [];
  for (;;) {
    const due = table.take(49);
    if (due === undefined) break;
    assert.equal(due.item.name, String(due.dueMs));
    assert.equal(due.item.dueMs, undefined);
    taken.push(due.dueMs);
  }
  assert.deepEqual(taken, Array.from({ length: 50 }, (_, at) => at));
  assert.equal(table.nextMs, 50);
});

Deno.test("Timetable skips what is due at another time by now", () => {
  const table = new Timetable<Named>();
  const [one, other] = [named("one"), named("other")];
  table.set(one, 10);
  table.set(other, 20);
  table.set(one, 30);
  assert.equal(table.nextMs, 20);
  table.set(other, undefined);
  assert.equal(table.nextMs, 30);
  table.set(one, 10);
  assert.equal(table.take(10)?.item.name, "one");
  assert.equal(table.take(100), undefined);
  assert.equal(table.nextMs, undefined);
});
