import assert from "node:assert/strict";
import { FakeClock, settled } from "../../tests/fakes/fake_clock.ts";
import { Pace, paced } from "./pace.ts";

const NEVER = new AbortController().signal;

Deno.test("Pace lets others go first only when its turn is over", async () => {
  const clock = new FakeClock();
  const pace = new Pace(clock, 5);
  await clock.advance(4);
  await pace.step(NEVER);
  await clock.advance(1);
  const steps: string[] = [];
  const own = pace.step(NEVER).then(() => steps.push("own"));
  await settled();
  steps.push("others");
  await clock.advance(0);
  await own;
  assert.deepEqual(steps, ["others", "own"]);
  assert.equal(pace.isOver, false);
  await pace.step();
});

Deno.test("paced() makes no text before it is read", async () => {
  const made: number[] = [];
  function* texts() {
    for (let each = 0; each < 3; each++) {
      made.push(each);
      yield each === 1 ? "" : `${each}`;
    }
  }
  const chunks = paced(texts(), new FakeClock(), NEVER);
  assert.deepEqual(made, []);
  const first = await chunks.next();
  assert.equal(new TextDecoder().decode(first.value ?? undefined), "0");
  assert.deepEqual(made, [0]);
  // What is empty is no chunk.
  const second = await chunks.next();
  assert.equal(new TextDecoder().decode(second.value ?? undefined), "2");
  assert.equal((await chunks.next()).done, true);
});
