import assert from "node:assert/strict";
import { Turns } from "./turns.ts";

Deno.test("Turns.next() lets others go on after a few milliseconds", async () => {
  let [nowMs, sleeps] = [0, 0];
  const turns = new Turns({
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: () => Promise.resolve(void sleeps++),
  });
  for (let step = 0; step < 100; step++) {
    nowMs++;
    await turns.next();
  }
  assert.equal(sleeps, 20);
  for (let step = 0; step < 1000; step++) await turns.next();
  assert.equal(sleeps, 20, "steps that take no time need no turn");
});
