import assert from "node:assert/strict";
import { milliUnits, parseQuantity, units } from "./quantity.ts";

const value = (text: string | number) => {
  const parsed = parseQuantity(text);
  return parsed === undefined ? undefined : units(parsed);
};

Deno.test("parseQuantity() reads every suffix exactly", () => {
  const table: [string | number, bigint][] = [
    ["0", 0n],
    [7, 7n],
    ["1k", 1000n],
    ["1Ki", 1024n],
    ["1.5Gi", 1610612736n],
    ["9007199254740993", 9007199254740993n],
    ["1E", 10n ** 18n],
    ["2e3", 2000n],
    ["5E-1", 1n],
    ["100m", 1n],
    ["1n", 1n],
    [".5", 1n],
    ["1.", 1n],
    ["+3", 3n],
    ["-1", -1n],
    ["-1.5", -1n],
  ];
  for (const [text, expected] of table) {
    assert.equal(value(text), expected, String(text));
  }
});

Deno.test("parseQuantity() refuses what is not a quantity", () => {
  for (
    const text of [
      "",
      "x",
      "1kk",
      "1 Gi",
      "0x10",
      "1e999",
      "--1",
      "1Ki1",
      ".",
      "1".repeat(80),
    ]
  ) {
    assert.equal(parseQuantity(text), undefined, text);
  }
});

Deno.test("milliUnits() rounds up to a thousandth", () => {
  const table: [string, bigint][] = [["0.1", 100n], ["1", 1000n], ["1u", 1n]];
  for (const [text, expected] of table) {
    assert.equal(milliUnits(parseQuantity(text) ?? 0n), expected, text);
  }
});
