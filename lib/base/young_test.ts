import assert from "node:assert/strict";
import { release } from "./young.ts";

Deno.test("release() frees what is all of its memory, and nobody else's", () => {
  const whole = new Uint8Array(1024);
  release(whole);
  assert.equal(whole.length, 0);
  const part = new Uint8Array(new ArrayBuffer(1024), 8, 16);
  release(part);
  assert.equal(part.length, 16);
  const shared = new Uint8Array(new SharedArrayBuffer(16));
  release(shared);
  assert.equal(shared.length, 16);
});
