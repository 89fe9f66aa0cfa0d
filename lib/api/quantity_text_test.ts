import assert from "node:assert/strict";
import { parseQuantity } from "./quantity.ts";
import { canonicalText, quantityText, sumText } from "./quantity_text.ts";

Deno.test("canonicalText() writes a quantity as the API server does", () => {
  const table = {
    "0.5": "500m",
    "1000m": "1",
    "1500m": "1500m",
    "1024Mi": "1Gi",
    "1.5Gi": "1536Mi",
    "1023": "1023",
    "0.5Ki": "512",
    "0": "0",
    "0Mi": "0",
    "1M": "1M",
    "1000k": "1M",
    "12e3": "12e3",
    "5e-1": "500e-3",
    "100": "100",
    "-2048Ki": "-2Mi",
    "1n": "1n",
    "many": "many",
  };
  for (const [text, expected] of Object.entries(table)) {
    assert.equal(canonicalText(text), expected, text);
  }
});

Deno.test("sumText() keeps the form of the first that is not zero", () => {
  assert.equal(sumText("64Mi", "1M"), "68108864");
  assert.equal(sumText("32Mi", "64Mi"), "96Mi");
  assert.equal(sumText("0", "1Gi"), "1Gi");
  assert.equal(sumText("1", "150m"), "1150m");
});

Deno.test("quantityText() is read back as the same quantity", () => {
  for (const form of ["decimal", "binary", "exponent"] as const) {
    const quantity = 1_572_864n * 1_000_000_000n;
    assert.equal(parseQuantity(quantityText(quantity, form)), quantity);
  }
});
