import assert from "node:assert/strict";
import type { V1Toleration } from "../api/types.ts";
import { tolerates, toleratesAll } from "./taints.ts";

const TAINT = { key: "gpu", value: "yes", effect: "NoExecute" };

Deno.test("tolerates() compares effect, key and value", () => {
  const table: [V1Toleration, boolean][] = [
    [{ operator: "Exists" }, true],
    [{ operator: "Exists", effect: "NoExecute" }, true],
    [{ operator: "Exists", effect: "NoSchedule" }, false],
    [{ operator: "Exists", key: "gpu" }, true],
    [{ operator: "Exists", key: "cpu" }, false],
    [{ operator: "Equal", key: "gpu", value: "yes" }, true],
    [{ key: "gpu", value: "yes" }, true],
    [{ key: "gpu", value: "no" }, false],
    [{ key: "gpu" }, false],
    [{ value: "yes" }, true],
    [{ key: "gpu", operator: "Gt", value: "1" }, false],
    [{ key: "gpu", operator: "Lt", value: "1" }, false],
    [{ key: "gpu", operator: "Like", value: "yes" }, false],
  ];
  for (const [toleration, expected] of table) {
    const found = tolerates(toleration, TAINT);
    assert.equal(found, expected, JSON.stringify(toleration));
  }
  const bare = { key: "gpu", effect: "NoExecute" };
  assert.equal(tolerates({ key: "gpu" }, bare), true, "no value on both sides");
});

Deno.test("toleratesAll() looks at the taints of one effect", () => {
  const taints = [TAINT, { key: "disk", effect: "NoSchedule" }];
  const own = [{ key: "gpu", value: "yes" }];
  assert.equal(toleratesAll([], [], "NoExecute"), true);
  assert.equal(toleratesAll([], taints, "NoExecute"), false);
  assert.equal(toleratesAll(own, taints, "NoExecute"), true);
  assert.equal(toleratesAll(own, taints, "NoSchedule"), false);
  const two = [...taints, { key: "other", effect: "NoExecute" }];
  assert.equal(toleratesAll(own, two, "NoExecute"), false);
});
