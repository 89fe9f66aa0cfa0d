import assert from "node:assert/strict";
import { podUid } from "../api/id.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { Ledger } from "./ledger.ts";

const UID = podUid("one");
const STARTED = {
  type: "Normal",
  reason: "Started",
  message: "Container started",
  container: "app",
} as const;

Deno.test("Ledger counts a step that comes again and moves it last", async () => {
  const clock = new FakeClock(0);
  const ledger = new Ledger(clock);
  ledger.record(UID, STARTED);
  ledger.record(UID, { ...STARTED, container: "side" });
  await clock.advance(5000);
  ledger.record(UID, STARTED);
  const [first, last] = ledger.stepsOf(UID);
  assert.deepEqual([first?.container, first?.count], ["side", 1]);
  const { firstAtMs, lastAtMs } = last ?? {};
  assert.deepEqual([last?.count, firstAtMs, lastAtMs], [2, 0, 5000]);
});

Deno.test("Ledger keeps the last 50 steps of a pod", () => {
  const ledger = new Ledger(new FakeClock());
  for (let n = 0; n < 60; n++) {
    ledger.record(UID, { ...STARTED, message: `step ${n}` });
  }
  const steps = ledger.stepsOf(UID);
  assert.equal(steps.length, 50);
  assert.equal(steps[0]?.message, "step 10");
});

Deno.test("Ledger.forget() forgets one pod only", () => {
  const ledger = new Ledger(new FakeClock());
  const other = podUid("other");
  ledger.record(UID, STARTED);
  ledger.record(other, STARTED);
  ledger.forget(UID);
  assert.deepEqual(ledger.stepsOf(UID), []);
  assert.equal(ledger.stepsOf(other).length, 1);
});
