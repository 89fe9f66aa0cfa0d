import assert from "node:assert/strict";
import { isReportDue, reported } from "./report.ts";

const PERIOD_MS = 300_000;

Deno.test("isReportDue() is so at start and after each period", () => {
  assert.ok(isReportDue(undefined, PERIOD_MS, 0));
  const last = { reportedAtMs: 0, delayMs: 0 };
  assert.ok(!isReportDue(last, PERIOD_MS, PERIOD_MS - 1));
  assert.ok(isReportDue(last, PERIOD_MS, PERIOD_MS));
});

Deno.test("reported() moves the next report once after a change", () => {
  const report = { isChanged: true, periodMs: PERIOD_MS, fraction: 0.9 };
  const first = reported(undefined, { ...report, isChanged: false }, 5);
  assert.deepEqual(first, { reportedAtMs: 5, delayMs: 120_000 });
  const changed = reported(first, { ...report, fraction: 0 }, 10);
  assert.deepEqual(changed, { reportedAtMs: 10, delayMs: -150_000 });
  const same = reported(changed, { ...report, isChanged: false }, 20);
  assert.deepEqual(same, { reportedAtMs: 20, delayMs: 0 });
});
