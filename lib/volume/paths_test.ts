import assert from "node:assert/strict";
import { clashIn } from "./paths.ts";

Deno.test("clashIn() finds a path that is a file here and a directory there", () => {
  const cases: readonly [string[], string | undefined][] = [
    [["a", "b"], undefined],
    [["a", "a-b", "a/b"], "a"],
    [["a/b/c", "a/b!", "a/b"], "a/b"],
    [["a/b", "a/c", "a.b"], undefined],
    [["ab", "a/b"], undefined],
  ];
  for (const [paths, clash] of cases) {
    assert.equal(clashIn(new Set(paths)), clash, paths.join(" "));
  }
});

Deno.test("S48 clashIn() of the deepest paths stays small", () => {
  const deep = "a/".repeat(2000);
  const paths = Array.from({ length: 350 }, (_, at) => `${at}/${deep}x`);
  const startMs = performance.now();
  assert.equal(clashIn(new Set(paths)), undefined);
  // All prefixes of all of them would be a gigabyte.
  assert.ok(performance.now() - startMs < 5000);
});
