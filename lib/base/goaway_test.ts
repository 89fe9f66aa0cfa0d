import assert from "node:assert/strict";
import { FrameScanner } from "./goaway.ts";

const SETTINGS = 4;
const GOAWAY = 7;

/** A frame with a payload full of sevens. */
function frame(type: number, length: number): number[] {
  return [
    length >> 16,
    (length >> 8) & 255,
    length & 255,
    type,
    ...[0, 0, 0, 0, 0],
    ...Array.from({ length }, () => GOAWAY),
  ];
}

Deno.test("FrameScanner finds GOAWAY, however the bytes are cut", () => {
  const before = [...frame(SETTINGS, 18), ...frame(0, 70_000), ...frame(3, 0)];
  const bytes = new Uint8Array([...before, ...frame(GOAWAY, 8)]);
  for (const size of [1, 2, 7, 9, 4096, bytes.length]) {
    const scanner = new FrameScanner();
    let found = -1;
    for (let start = 0; start < bytes.length && found < 0; start += size) {
      const at = scanner.findGoaway(bytes.subarray(start, start + size));
      if (at >= 0) found = start + at;
    }
    assert.equal(found, before.length + 3, `cut every ${size} bytes`);
  }
});

Deno.test("FrameScanner passes everything else", () => {
  const scanner = new FrameScanner();
  for (const type of [0, 1, 2, 3, 4, 5, 6, 8, 9]) {
    const bytes = new Uint8Array(frame(type, 300));
    assert.equal(scanner.findGoaway(bytes), -1);
  }
});
