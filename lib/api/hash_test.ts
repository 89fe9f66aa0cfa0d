import assert from "node:assert/strict";
import { containerHash } from "./hash.ts";

Deno.test("containerHash() equals the kubelet's, as printed by Go", () => {
  assert.equal(containerHash("web", "busybox:1"), "2afe472c");
  assert.equal(containerHash("a", "b<c>&é\u2028"), "13464eb");
});
