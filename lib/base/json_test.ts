import assert from "node:assert/strict";
import { isObject, objectIn, parseJson, textIn } from "./json.ts";

Deno.test("parseJson() tells what is no JSON from what is null", () => {
  assert.equal(parseJson("{"), undefined);
  assert.equal(parseJson("null"), null);
});

Deno.test("members of the wrong type, or inherited ones, are not there", () => {
  const value = parseJson(
    '{"a": {"b": "c"}, "d": [1], "__proto__": {"x": "y"}}',
  );
  assert.ok(isObject(value));
  assert.equal(textIn(objectIn(value, "a"), "b"), "c");
  assert.deepEqual(objectIn(value, "d"), {});
  assert.equal(textIn(objectIn(value, "__proto__"), "x"), "y");
  assert.deepEqual(objectIn(value, "constructor"), {});
  assert.equal(textIn(value, "toString"), undefined);
});

Deno.test("isObject() takes neither null nor lists", () => {
  assert.deepEqual([{}, null, [], "x"].map(isObject), [
    true,
    false,
    false,
    false,
  ]);
});
