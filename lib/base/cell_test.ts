import assert from "node:assert/strict";
import { cell, until } from "./cell.ts";

Deno.test("cell() gives readers the latest value, once for a burst", async () => {
  const [writer, reader] = cell(0);
  const stop = new AbortController();
  const seen: number[] = [];
  const done = (async () => {
    for await (const value of reader.changes(stop.signal)) seen.push(value);
  })();
  writer.set(1);
  writer.set(2);
  await new Promise<void>((resolve) => queueMicrotask(resolve));
  for (let i = 0; i < 20; i++) await Promise.resolve();
  assert.deepEqual(seen, [2]);
  writer.set(2);
  for (let i = 0; i < 20; i++) await Promise.resolve();
  assert.deepEqual(seen, [2], "the same value is no change");
  writer.set(3);
  for (let i = 0; i < 20; i++) await Promise.resolve();
  assert.deepEqual(seen, [2, 3]);
  stop.abort();
  await done;
  assert.equal(reader.get(), 3);
});

Deno.test("cell() ends at once for a signal that has aborted", async () => {
  const [, reader] = cell(0);
  for await (const _ of reader.changes(AbortSignal.abort())) {
    assert.fail("nothing changed");
  }
});

Deno.test("cell() lets one reader leave without waking the others for ever", async () => {
  const [writer, reader] = cell(0);
  const leaving = new AbortController();
  const staying = new AbortController();
  const seen: number[] = [];
  const left = (async () => {
    for await (const _ of reader.changes(leaving.signal)) { /* leaves */ }
    return "left";
  })();
  const stays = (async () => {
    for await (const value of reader.changes(staying.signal)) seen.push(value);
  })();
  leaving.abort();
  assert.equal(await left, "left");
  // A reader that spins in microtasks would never let a timer fire.
  await new Promise((resolve) => setTimeout(resolve, 0));
  writer.set(1);
  await new Promise((resolve) => setTimeout(resolve, 0));
  staying.abort();
  await stays;
  assert.deepEqual(seen, [1]);
});

Deno.test("until() waits for a value, or for the end", async () => {
  const [writer, reader] = cell(1);
  const stop = new AbortController();
  const { signal } = stop;
  await until(reader, (value) => value === 1, signal);
  const three = until(reader, (value) => value === 3, signal);
  writer.set(2);
  writer.set(3);
  await three;
  const never = until(reader, (value) => value === 4, signal);
  stop.abort(new Error("over"));
  await assert.rejects(never, /over/);
});
