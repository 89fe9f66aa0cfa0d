import assert from "node:assert/strict";
import { aPod } from "../../tests/build.ts";
import { isCritical } from "./priority.ts";

Deno.test("isCritical() is for static pods, mirrors and high priorities", () => {
  const from = (source: string) =>
    aPod({ annotations: { "kubernetes.io/config.source": source } });
  assert.equal(isCritical(aPod()), false);
  assert.equal(isCritical(from("api")), false);
  assert.equal(isCritical(from("file")), true);
  assert.equal(isCritical(from("http")), true);
  const mirror = { "kubernetes.io/config.mirror": "" };
  assert.equal(isCritical(aPod({ annotations: mirror })), true);
  const at = (priority: number) => isCritical(aPod({ spec: { priority } }));
  assert.equal(at(1_999_999_999), false);
  assert.equal(at(2_000_000_000), true);
});
