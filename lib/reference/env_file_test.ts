import assert from "node:assert/strict";
import { valueIn } from "./env_file.ts";

Deno.test("valueIn() reads quoted values, over lines too", () => {
  const text = [
    "# A comment",
    "",
    "  \t",
    "A='one'",
    "  B='with # and = and \"' # after",
    "C='first",
    "",
    "third'",
    "D= 'ignored'",
    "E=''",
    "CR='x'\r",
    "A='again'",
    "",
  ].join("\n");
  const table: [string, string][] = [
    ["A", "one"],
    ["B", 'with # and = and "'],
    ["C", "first\n\nthird"],
    ["D", ""],
    ["E", ""],
    ["CR", "x"],
    ["none", ""],
    ["__proto__", ""],
  ];
  for (const [key, value] of table) {
    assert.deepEqual(valueIn(text, key), { kind: "ok", value }, key);
  }
});

Deno.test("valueIn() says what is wrong and where", () => {
  const at = "invalid environment variable format";
  const table: [string, string][] = [
    ["A", `${at} at line 1: missing '='`],
    ["='x'", `${at} at line 1: empty variable name`],
    [" \t='x'", `${at} at line 1: empty variable name`],
    ["\nA ='x'", `${at} at line 2: whitespace before '=' is not allowed`],
    ["A=x", `${at} at line 1: value must be enclosed in single quotes`],
    ['A="x"', `${at} at line 1: value must be enclosed in single quotes`],
    ["A='x' y", `${at} at line 1: unexpected content after closing quote`],
    ["A='x\ny' z", `${at} at line 2: unexpected content after closing quote`],
    ["\nA='x\ny", `${at} starting at line 2: unclosed single quote`],
    [`A='${"x".repeat(70_000)}'`, "line 1 is too long"],
  ];
  for (const [text, message] of table) {
    assert.deepEqual(valueIn(text, "A"), { kind: "broken", message }, text);
  }
  // What comes after the key is not looked at.
  assert.deepEqual(valueIn("A='1'\nnonsense", "A"), { kind: "ok", value: "1" });
  assert.equal(valueIn("A='1'\nnonsense", "B").kind, "broken");
});
