import assert from "node:assert/strict";
import { expand, expandSubPath, LONGEST_TEXT } from "./env_expand.ts";

Deno.test("expand() follows third_party/forked/golang/expansion", () => {
  const known = new Map([["A", "x"], ["B", "$(A)"], ["E", ""], ["A-b.c", "y"]]);
  const table: [string, string][] = [
    ["", ""],
    ["$(A)", "x"],
    ["a$(A)b$(A)", "axbx"],
    ["$(B)", "$(A)"],
    ["$(E)|", "|"],
    ["$(A-b.c)", "y"],
    ["$(missing)", "$(missing)"],
    ["$()", "$()"],
    ["$$", "$"],
    ["$$$$", "$$"],
    ["$$(A)", "$(A)"],
    ["$$$(A)", "$x"],
    ["$$$$(A)", "$$(A)"],
    ["$A", "$A"],
    ["$", "$"],
    ["A$", "A$"],
    ["$(A", "$(A"],
    ["$(A$$", "$(A$"],
    ["$(A$(B))", "$(A$(B))"],
    ["$A$(A)", "$Ax"],
    ["$( A )", "$( A )"],
    ["${A}", "${A}"],
  ];
  for (const [text, expected] of table) {
    assert.equal(expand(text, (name) => known.get(name)), expected, text);
  }
});

Deno.test("expand() takes no longer for what never ends", () => {
  const text = "$(".repeat(500_000);
  assert.equal(expand(text, () => "x"), text);
  assert.equal(expand(`${text}$$`, () => "x"), `${text}$`);
});

Deno.test("expand() cuts what grows without end", () => {
  let value = "x".repeat(1000);
  for (let round = 0; round < 60; round++) {
    value = expand("$(V)$(V)", () => value);
    assert.ok(value.length <= 3 * LONGEST_TEXT);
  }
  assert.ok(value.length > LONGEST_TEXT);
});

Deno.test("expandSubPath() wants a value for every variable", () => {
  const env = [
    { name: "A", value: "1" },
    { name: "A", value: "2" },
    { name: "E", value: "" },
  ];
  assert.deepEqual(expandSubPath("x/$(A)/$$(A)", env), {
    kind: "ok",
    path: "x/2/$(A)",
  });
  assert.deepEqual(expandSubPath("$(Z)$(E)$(B)$(B)", env), {
    kind: "refused",
    message: "missing value for B, E, Z",
  });
});
