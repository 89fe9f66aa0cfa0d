import assert from "node:assert/strict";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { Semaphore } from "./semaphore.ts";

const never = new AbortController().signal;

Deno.test("Semaphore.run() lets in no more than it has room for, in order", async () => {
  const semaphore = new Semaphore(2);
  const gates = [0, 1, 2, 3].map(() => Promise.withResolvers<void>());
  const entered: number[] = [];
  const works = gates.map((gate, i) =>
    semaphore.run(() => {
      entered.push(i);
      return gate.promise;
    }, never)
  );
  await Promise.resolve();
  assert.deepEqual(entered, [0, 1]);
  gates[1]?.resolve();
  await works[1];
  await Promise.resolve();
  assert.deepEqual(entered, [0, 1, 2]);
  for (const gate of gates) gate.resolve();
  await Promise.all(works);
  assert.deepEqual(entered, [0, 1, 2, 3]);
});

Deno.test("Semaphore.run() gives its room back after a failure", async () => {
  const semaphore = new Semaphore(1);
  const broken = () => Promise.reject(new Error("broken"));
  await assert.rejects(semaphore.run(broken, never), /broken/);
  assert.equal(await semaphore.run(() => Promise.resolve(1), never), 1);
});

Deno.test("Semaphore.run() forgets who gave up waiting", async () => {
  const semaphore = new Semaphore(1);
  const gate = Promise.withResolvers<void>();
  const first = semaphore.run(() => gate.promise, never);
  const controller = new AbortController();
  const second = semaphore.run(() => Promise.resolve(), controller.signal);
  controller.abort(new Error("enough"));
  await assert.rejects(second, /enough/);
  gate.resolve();
  await first;
  assert.equal(await semaphore.run(() => Promise.resolve(3), never), 3);
});

Deno.test("Semaphore.run() lets others pass work that hangs", async () => {
  const clock = new FakeClock();
  const semaphore = new Semaphore(1, { clock, ms: 1_000 });
  const gate = Promise.withResolvers<string>();
  const hung = semaphore.run(() => gate.promise, never);
  let isIn = false;
  const next = semaphore.run(() => Promise.resolve(isIn = true), never);
  await clock.advance(999);
  assert.ok(!isIn);
  await clock.advance(1);
  assert.ok(await next);
  gate.resolve("late");
  assert.equal(await hung, "late");
  // Its room was given back once, not twice.
  const two = [0, 1].map(() => Promise.withResolvers<void>());
  const entered: number[] = [];
  const works = two.map((each, at) =>
    semaphore.run(() => {
      entered.push(at);
      return each.promise;
    }, never)
  );
  await clock.advance(0);
  assert.deepEqual(entered, [0]);
  for (const each of two) each.resolve();
  await Promise.all(works);
  assert.equal(clock.sleepers, 0);
});
