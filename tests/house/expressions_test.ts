/**
 * S48: regular expressions take time in proportion to what they are given. Each
 * one of lib gets long texts that repeat a character or two and do not match.
 */
import assert from "node:assert/strict";
import {
  type Expression,
  readSource,
  readSources,
  ROOT,
  sourcePaths,
} from "./source.ts";

/** Short ones first: they show what would take for ever with long ones. */
const LENGTHS = [16, 24, 64, 256, 1_000, 20_000];
/** Linear ones take under 1 ms, quadratic ones over 100. */
const LIMIT_MS = 50;
const PARTS = [...'aA0-._/ :,%$=@\t\n"\\'];
const STARTS = ["", "a"];

const REPEATED = [
  ...PARTS,
  "a0",
  "a-",
  "a.",
  "a/",
  "0.",
  "./",
];
const TEXTS = LENGTHS.flatMap((length) =>
  REPEATED.flatMap((part) =>
    STARTS.map((start) => `${start}${part.repeat(length / part.length)}\0`)
  )
);

/** The longest that any of the texts takes, in milliseconds. */
function slowest({ pattern, flags }: Expression): number {
  const expression = new RegExp(pattern, flags);
  let longestMs = 0;
  for (const text of TEXTS) {
    expression.lastIndex = 0;
    const sinceMs = performance.now();
    expression.exec(text);
    longestMs = Math.max(longestMs, performance.now() - sinceMs);
    if (longestMs > LIMIT_MS) break;
  }
  return longestMs;
}

Deno.test("S48 every expression takes time in proportion", () => {
  const own = sourcePaths(ROOT)
    .filter((path) => path.startsWith("lib/") && !path.endsWith("_test.ts"));
  const sources = readSources(own, ROOT);
  const slow = sources.flatMap(({ path, expressions }) =>
    expressions
      // Again: a busy machine may have stood still for a moment.
      .filter((each) => slowest(each) > LIMIT_MS && slowest(each) > LIMIT_MS)
      .map(({ pattern, line }) => `${path}:${line} /${pattern}/`)
  );
  assert.deepEqual(slow, []);
  assert.ok(sources.some(({ expressions }) => expressions.length > 0));
});

Deno.test("S48 a slow expression is noticed", () => {
  const code = "export const x = /^\\d+\\.?\\d*$/; x.test('1');";
  const [found] = readSource("lib/base/x.ts", code).expressions;
  assert.ok(found);
  assert.ok(slowest(found) > LIMIT_MS);
});
