import assert from "node:assert/strict";
import { parseTimes, renderTimes, secondsOf } from "./state_file.ts";

const START = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

Deno.test("renderTimes() writes what upstream writes", () => {
  assert.equal(
    renderTimes({ startMs: START, endMs: undefined }),
    '{"startTime":"2026-01-02T03:04:05.678Z",' +
      '"endTime":"0001-01-01T00:00:00Z"}',
  );
});

for (
  const times of [
    { startMs: undefined, endMs: undefined },
    { startMs: START, endMs: undefined },
    { startMs: START, endMs: START + 1 },
  ]
) {
  Deno.test(`parseTimes() reads ${JSON.stringify(times)} again`, () => {
    assert.deepEqual(parseTimes(renderTimes(times)), times);
  });
}

Deno.test("parseTimes() reads what the kubelet left", () => {
  const text = '{"startTime":"2026-01-02T05:04:05.678912345+02:00",' +
    '"endTime":"2026-01-02T05:04:15Z"}';
  const { startMs, endMs } = parseTimes(text) ?? {};
  assert.equal(startMs, START);
  assert.equal(secondsOf(endMs), Date.UTC(2026, 0, 2, 5, 4, 15) / 1000);
});

for (const text of ["", "[", "7", "null", '"x"']) {
  Deno.test(`parseTimes() knows nothing from ${JSON.stringify(text)}`, () => {
    assert.equal(parseTimes(text), undefined);
  });
}

Deno.test("parseTimes() knows no time from odd fields", () => {
  assert.deepEqual(parseTimes('{"startTime":5,"endTime":"soon"}'), {
    startMs: undefined,
    endMs: undefined,
  });
});

Deno.test("secondsOf() is whole, and 0 for never", () => {
  assert.equal(secondsOf(1_999), 1);
  assert.equal(secondsOf(undefined), 0);
});
