import assert from "node:assert/strict";
import { logHeader, LogText } from "./text.ts";

const AT = "2026-07-31T10:02:33.000000001Z";

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** What comes out, block by block, and at the end. */
function textOf(
  blocks: readonly string[],
  timestamps: "shown" | "hidden" = "hidden",
): string[] {
  const text = new LogText({ timestamps });
  const decoder = new TextDecoder();
  return [
    ...blocks.map((block) => decoder.decode(text.add(bytes(block)))),
    decoder.decode(text.end()),
  ];
}

Deno.test("logHeader() reads the CRI's format and nothing else", () => {
  const cases: [string, string | undefined][] = [
    [`${AT} stdout F hello`, "stdout end 40"],
    [`${AT} stderr P hello`, "stderr piece 40"],
    [`${AT} stdout P:x:y hello`, "stdout piece 44"],
    [`${AT} stdout F `, "stdout end 40"],
    [`${AT} stdout F`, "stdout end 39"],
    ["2026-07-31T10:02:33+02:00 stdout F x", "stdout end 35"],
    [`${AT} other F hello`, undefined],
    ["hello", undefined],
    ["", undefined],
    [`{"log":"x","stream":"stdout","time":"${AT}"}`, undefined],
  ];
  for (const [line, expected] of cases) {
    const found = logHeader(bytes(line));
    const shown = found && `${found.stream} ${found.part} ${found.lengthBytes}`;
    assert.equal(shown, expected, line);
  }
});

Deno.test("LogText joins lines that blocks cut in two", () => {
  const whole = `${AT} stdout F one\n${AT} stdout F two\n`;
  for (let cut = 0; cut <= whole.length; cut++) {
    const parts = textOf([whole.slice(0, cut), whole.slice(cut)]);
    assert.equal(parts.join(""), "one\ntwo\n");
  }
});

Deno.test("LogText joins the pieces of a line, stream by stream", () => {
  const out = textOf([
    `${AT} stdout P a\n${AT} stderr F err\n${AT} stdout P b\n`,
    `${AT} stdout F c\n`,
  ]);
  assert.deepEqual(out, ["err\n", "abc\n", ""]);
});

Deno.test("LogText puts one timestamp before a whole line", () => {
  const later = AT.replace("33", "34");
  const out = textOf(
    [`${AT} stdout P a\n${later} stdout F b\n${later} stdout F c\n`],
    "shown",
  );
  assert.equal(out[0], `${AT} ab\n${later} c\n`);
});

Deno.test("LogText lets go of what was never finished", () => {
  assert.deepEqual(textOf([`${AT} stdout P a\n${AT} stdout F b`]), [
    "",
    "ab\n",
  ]);
  assert.deepEqual(textOf([`${AT} stderr P a\n`]), ["", "a"]);
});

Deno.test("LogText passes on what it does not understand", () => {
  assert.equal(textOf(["odd\n\n"]).join(""), "odd\n\n");
});

Deno.test("LogText keeps bytes that are not UTF-8", () => {
  const raw = new Uint8Array([...bytes(`${AT} stdout F `), 0xff, 0xfe, 0x0a]);
  assert.deepEqual(
    [...new LogText({ timestamps: "hidden" }).add(raw)],
    [0xff, 0xfe, 0x0a],
  );
});

Deno.test("LogText does not keep an endless line", () => {
  const text = new LogText({ timestamps: "shown" });
  const piece = bytes(`${AT} stdout P ${"x".repeat(64 * 1024)}\n`);
  let length = 0;
  for (let count = 0; count < 40; count++) length += text.add(piece).length;
  assert.ok(length > 1024 * 1024);
  length += text.end().length;
  assert.equal(length, 40 * 64 * 1024 + AT.length + 1);
});
