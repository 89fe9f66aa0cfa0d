import assert from "node:assert/strict";
import { parseGoDuration, printGoDuration } from "./go_duration.ts";

const SAME: readonly (readonly [string, number])[] = [
  ["0s", 0],
  ["1ns", 1e-6],
  ["1.5µs", 0.0015],
  ["100ms", 100],
  ["1.5s", 1_500],
  ["30s", 30_000],
  ["1m0s", 60_000],
  ["1m30s", 90_000],
  ["2h45m0s", 9_900_000],
  ["-1m0s", -60_000],
  ["4h0m0.5s", 14_400_500],
];

const ALSO: readonly (readonly [string, number | undefined])[] = [
  ["0", 0],
  ["+0", 0],
  ["-0", 0],
  ["1h2m3.5s", 3_723_500],
  [".5s", 500],
  ["1.s", 1_000],
  ["1us", 0.001],
  ["1μs", 0.001],
  ["+3m", 180_000],
  ["300s", 300_000],
  ["10", undefined],
  ["", undefined],
  ["s", undefined],
  [".s", undefined],
  ["1d", undefined],
  ["1 s", undefined],
  ["1s ", undefined],
  ["--1s", undefined],
  ["1e3s", undefined],
  ["3000000h", undefined],
];

Deno.test("parseGoDuration() reads what Go reads", () => {
  for (const [text, ms] of [...SAME, ...ALSO]) {
    assert.equal(parseGoDuration(text), ms, text);
  }
});

Deno.test("printGoDuration() prints what Go prints", () => {
  for (const [text, ms] of SAME) assert.equal(printGoDuration(ms), text);
});
