import assert from "node:assert/strict";
import { binaryText, isSameAmount, whole } from "./amount.ts";

Deno.test("binaryText() prints what the API server would", () => {
  const cases: [bigint, string][] = [
    [0n, "0"],
    [500n, "500"],
    [1000n, "1k"],
    [1024n, "1Ki"],
    [1500n, "1500"],
    [2n * 1024n ** 2n, "2Mi"],
    [16n * 1024n ** 3n, "16Gi"],
    [16393908n * 1024n, "16393908Ki"],
    [1024n ** 6n * 2048n, "2048Ei"],
    [37569620718n, "37569620718"],
  ];
  for (const [count, text] of cases) {
    assert.equal(binaryText(whole(count)), text);
  }
});

Deno.test("isSameAmount() compares amounts, not texts", () => {
  assert.ok(isSameAmount("1Gi", "1024Mi"));
  assert.ok(isSameAmount("2", "2000m"));
  assert.ok(!isSameAmount("2", "2001m"));
  assert.ok(!isSameAmount(undefined, "0"));
});
