import assert from "node:assert/strict";
import { aPod } from "../../tests/build.ts";
import { heldStatus } from "./status_held.ts";

Deno.test("heldStatus() is the pod's status without its nulls", () => {
  const pod = aPod();
  assert.equal(heldStatus(pod), undefined);
  pod.status = { phase: "Pending", qosClass: "Burstable" };
  assert.deepEqual(heldStatus(pod), {
    phase: "Pending",
    qosClass: "Burstable",
    conditions: [],
    containerStatuses: [],
  });
  const condition = {
    type: "PodScheduled",
    status: "True",
    lastTransitionTime: "2026-01-02T03:04:05Z",
  };
  pod.status = JSON.parse(JSON.stringify({
    phase: "Pending",
    conditions: [{ ...condition, lastProbeTime: null }],
  }));
  assert.deepEqual(heldStatus(pod)?.conditions, [condition]);
});
