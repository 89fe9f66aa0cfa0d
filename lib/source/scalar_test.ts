import assert from "node:assert/strict";
import { plainScalar } from "./scalar.ts";
import { WrittenNumber } from "./tree.ts";

Deno.test("plainScalar() reads words as go-yaml does", () => {
  for (const text of ["y", "Yes", "ON", "true"]) {
    assert.equal(plainScalar(text), true, text);
  }
  for (const text of ["n", "No", "off", "FALSE"]) {
    assert.equal(plainScalar(text), false, text);
  }
  for (const text of ["", "~", "null", "NULL"]) {
    assert.equal(plainScalar(text), null, text);
  }
});

Deno.test("plainScalar() keeps text that only looks like something", () => {
  const texts = [
    "yEs",
    "nULL",
    "12:30:45",
    "2001-01-01",
    "1.2.3",
    "0b12",
    "0x",
    "1e",
    "500m",
    "64Mi",
    "-",
    "=",
    "v1",
    "1.25-alpine",
    ".inf",
  ];
  for (const text of texts) assert.equal(plainScalar(text), text);
});

Deno.test("plainScalar() keeps numbers exact", () => {
  const numbers: readonly (readonly [string, string, number])[] = [
    ["80", "80", 80],
    ["0644", "420", 420],
    ["0o600", "384", 384],
    ["0x10", "16", 16],
    ["-0b1", "-1", -1],
    ["+1", "1", 1],
    ["1_000", "1000", 1000],
    ["1.10", "1.10", 1.1],
    ["1e9", "1e9", 1e9],
    ["0778", "0778", 778],
    ["9007199254740993", "9007199254740993", 9007199254740992],
    ["18446744073709551615", "18446744073709551615", 2 ** 64],
  ];
  for (const [text, written, value] of numbers) {
    const found = plainScalar(text);
    assert.ok(found instanceof WrittenNumber, text);
    assert.deepEqual([found.text, found.value], [written, value]);
  }
});
