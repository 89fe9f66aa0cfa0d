import assert from "node:assert/strict";
import { BLOCK_BYTES, tailOffset } from "./tail.ts";

const AT = "2026-07-31T10:02:33.000000001Z";

/** A file that counts how much of it is read. */
function fileOf(content: string) {
  const bytes = new TextEncoder().encode(content);
  const counted = { readBytes: 0 };
  return {
    counted,
    sizeBytes: () => Promise.resolve(bytes.length),
    read(offset: number, length: number) {
      const part = bytes.slice(offset, offset + length);
      counted.readBytes += part.length;
      return Promise.resolve(part);
    },
  };
}

async function tail(content: string, lines: number): Promise<string> {
  return content.slice(await tailOffset(fileOf(content), lines));
}

const full = (text: string) => `${AT} stdout F ${text}\n`;
const piece = (text: string) => `${AT} stdout P ${text}\n`;

Deno.test("tailOffset() finds the last lines", async () => {
  const all = full("one") + full("two") + full("three");
  assert.equal(await tail(all, 0), "");
  assert.equal(await tail(all, 1), full("three"));
  assert.equal(await tail(all, 2), full("two") + full("three"));
  assert.equal(await tail(all, 3), all);
  assert.equal(await tail(all, 9), all);
  assert.equal(await tail("", 3), "");
});

Deno.test("tailOffset() counts a line in pieces once", async () => {
  const long = piece("a") + piece("b") + full("c");
  const all = full("one") + long + full("three");
  assert.equal(await tail(all, 2), long + full("three"));
  assert.equal(await tail(all, 1), full("three"));
  assert.equal(await tail(full("one") + long, 1), long);
});

Deno.test("tailOffset() counts what is being written as a line", async () => {
  const open = `${AT} stdout F thr`;
  assert.equal(await tail(full("one") + full("two") + open, 1), open);
  const pieces = piece("a") + piece("b");
  assert.equal(await tail(full("one") + pieces, 1), pieces);
});

Deno.test("tailOffset() works across blocks, wherever they are cut", async () => {
  for (const pad of [0, 1, 20, 43, 44, 60]) {
    const first = full("x".repeat(pad));
    const lines = Array.from({ length: 3000 }, (_, n) => full(`line ${n}`));
    const all = first + lines.join("");
    assert.ok(all.length > 2 * BLOCK_BYTES);
    assert.equal(await tail(all, 2500), lines.slice(-2500).join(""));
  }
  const long = piece("y".repeat(BLOCK_BYTES)) + full("z".repeat(BLOCK_BYTES));
  assert.equal(await tail(full("a") + long, 1), long);
});

Deno.test("tailOffset() reads no more than it has to", async () => {
  const file = fileOf(full("x".repeat(100)).repeat(20_000));
  await tailOffset(file, 10);
  assert.equal(file.counted.readBytes, BLOCK_BYTES);
});
