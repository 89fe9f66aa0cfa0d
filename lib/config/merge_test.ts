import assert from "node:assert/strict";
import { mergePatch } from "./merge.ts";
import { type Json, jsonOf, type MapTree, treeOf } from "./tree.ts";

function mapOf(value: Json): MapTree {
  const tree = treeOf(value, { kind: "default" });
  if (tree.kind !== "map") throw new Error("It is no map");
  return tree;
}

/** Cases of RFC 7386, appendix A, whose patch is a map. */
const CASES: readonly (readonly [Json, Json, Json])[] = [
  [{ a: "b" }, { a: "c" }, { a: "c" }],
  [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
  [{ a: "b" }, { a: null }, {}],
  [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
  [{ a: ["b"] }, { a: "c" }, { a: "c" }],
  [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
  [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
  [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: "b", c: null }, { a: "b" }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
];

Deno.test("mergePatch() does what RFC 7386 shows", () => {
  for (const [target, patch, result] of CASES) {
    const tree = treeOf(target, { kind: "default" });
    const merged = jsonOf(mergePatch(tree, mapOf(patch)));
    assert.equal(JSON.stringify(merged), JSON.stringify(result));
  }
});
