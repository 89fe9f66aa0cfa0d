import assert from "node:assert/strict";
import {
  clockTime,
  deadline,
  humanDuration,
  ordinal,
  timeMs,
} from "./times.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOW = Date.parse("2026-07-31T10:02:21Z");

Deno.test("humanDuration() prints as kubectl does", () => {
  const cases: [number, string][] = [
    [-5 * SECOND, "<invalid>"],
    [-1 * SECOND, "0s"],
    [0, "0s"],
    [5.9 * SECOND, "5s"],
    [119 * SECOND, "119s"],
    [2 * MINUTE, "2m"],
    [3 * MINUTE + 12 * SECOND, "3m12s"],
    [10 * MINUTE + 59 * SECOND, "10m"],
    [179 * MINUTE, "179m"],
    [3 * HOUR, "3h"],
    [7 * HOUR + 20 * MINUTE, "7h20m"],
    [47 * HOUR, "47h"],
    [4 * DAY, "4d"],
    [4 * DAY + 3 * HOUR, "4d3h"],
    [9 * DAY + 3 * HOUR, "9d"],
    [3 * 365 * DAY + DAY, "3y1d"],
    [9 * 365 * DAY + DAY, "9y"],
  ];
  for (const [ms, text] of cases) assert.equal(humanDuration(ms), text);
});

Deno.test("deadline() tells how long and until when", () => {
  assert.equal(deadline(NOW + 12 * SECOND, NOW), "in 12s, at 10:02:33Z");
  assert.equal(deadline(NOW + 11_001, NOW), "in 12s, at 10:02:32Z");
  assert.equal(deadline(NOW, NOW), "due now");
  assert.equal(clockTime(NOW - DAY, NOW), "2026-07-30T10:02:21Z");
});

Deno.test("ordinal() knows the teens", () => {
  assert.deepEqual(
    [0, 1, 2, 3, 4, 11, 12, 13, 21, 102, 111].map(ordinal).join(" "),
    "0th 1st 2nd 3rd 4th 11th 12th 13th 21st 102nd 111th",
  );
});

Deno.test("timeMs() reads text, dates and nonsense", () => {
  assert.equal(timeMs("2026-07-31T10:02:21Z"), NOW);
  assert.equal(timeMs("2026-07-31T12:02:21.123456789+02:00"), NOW + 123);
  assert.equal(timeMs(new Date(NOW)), NOW);
  assert.equal(timeMs("yesterday"), undefined);
  assert.equal(timeMs(undefined), undefined);
});
