import assert from "node:assert/strict";
import { isLabelKey, isLabelValue } from "./label.ts";

Deno.test("isLabelKey() takes a name with or without a domain", () => {
  const right = ["a", "A_b.c-9", "example.com/a", `a/${"b".repeat(63)}`];
  const wrong = [
    ...["", "/", "a/", "/a", "a/b/c", "-a", "a-", "a b", "ä", "a\n"],
    ...["Example.com/a", "a..b/c", "_a/b", "b".repeat(64)],
    `${"a".repeat(254)}/b`,
  ];
  for (const text of right) assert.equal(isLabelKey(text), true, text);
  for (const text of wrong) assert.equal(isLabelKey(text), false, text);
});

Deno.test("isLabelValue() takes nothing, or a name", () => {
  for (const text of ["", "0", "a_b.C-d", "x".repeat(63)]) {
    assert.equal(isLabelValue(text), true, text);
  }
  for (const text of ["-1", "a/b", " ", "x".repeat(64)]) {
    assert.equal(isLabelValue(text), false, text);
  }
});
