import assert from "node:assert/strict";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { orAborted, within } from "./wait.ts";

const never = new Promise<never>(() => {});

Deno.test("orAborted() leaves work behind when its signal aborts", async () => {
  const stop = new AbortController();
  const waiting = orAborted(never, stop.signal);
  stop.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
  await assert.rejects(orAborted(never, stop.signal), /enough/);
  const { signal } = new AbortController();
  assert.equal(await orAborted(Promise.resolve(7), signal), 7);
});

Deno.test("within() brings what comes in time, be it a failure", async () => {
  const clock = new FakeClock();
  const { signal } = new AbortController();
  const limit = { clock, ms: 1000, signal };
  assert.equal(
    await within(limit, () => Promise.resolve("in time")),
    "in time",
  );
  await assert.rejects(
    within(limit, () => Promise.reject(new Error("bad"))),
    /bad/,
  );
});

Deno.test("within() ends work that is late, in the words it was given", async () => {
  const clock = new FakeClock();
  const { signal } = new AbortController();
  let seen: AbortSignal | undefined;
  const work = (own: AbortSignal) => {
    seen = own;
    return never;
  };
  const plain = within({ clock, ms: 1000, signal }, work);
  const told = within(
    { clock, ms: 1000, signal, late: new Error("late") },
    work,
  );
  const both = Promise.all([
    assert.rejects(plain, { name: "TimeoutError" }),
    assert.rejects(told, /late/),
  ]);
  await clock.advance(1000);
  await both;
  assert.equal(seen?.aborted, true);
});

Deno.test("within() ends with its caller's signal", async () => {
  const clock = new FakeClock();
  const stop = new AbortController();
  const late = within({ clock, ms: 1000, signal: stop.signal }, () => never);
  stop.abort(new Error("gone"));
  await assert.rejects(late, /gone/);
});
