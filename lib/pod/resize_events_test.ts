import assert from "node:assert/strict";
import { aContainer, aPod } from "../../tests/build.ts";
import type { PodConditionJson, PodStatusJson } from "../api/status.ts";
import { pendingStep, resizeSteps, startedStep } from "./resize_events.ts";
import { unseenStatus } from "./status.ts";

const POD = aPod({
  containers: [
    aContainer({ name: "c1", resources: { limits: { memory: "0.2k" } } }),
    aContainer({ name: "c2", resources: { requests: { cpu: "0.2" } } }),
  ],
  spec: { initContainers: [aContainer({ name: "c0" })] },
});
const SUMMARY = '{"initContainers":[{"name":"c0","resources":{}}],' +
  '"containers":[{"name":"c1","resources":{"limits":{"memory":"200"}}},' +
  '{"name":"c2","resources":{"requests":{"cpu":"200m"}}}],"generation":';

function status(own: Partial<PodConditionJson> | undefined): PodStatusJson {
  return {
    ...unseenStatus(POD),
    phase: "Running",
    conditions: own === undefined ? [] : [{
      type: "PodResizeInProgress",
      status: "True",
      lastTransitionTime: "2026-01-02T03:00:00Z",
      observedGeneration: 3,
      ...own,
    }],
  };
}

function told(
  before: PodStatusJson | undefined,
  now: PodStatusJson,
  generation?: number,
) {
  const started = generation === undefined
    ? undefined
    : { generation, atMs: 0 };
  return resizeSteps(POD, { before, status: now }, started)
    .map(({ reason, message }) => [reason, message]);
}

Deno.test("startedStep() and pendingStep() say it as upstream does", () => {
  assert.deepEqual(startedStep(POD, 2), {
    type: "Normal",
    reason: "ResizeStarted",
    message: `Pod resize started: ${SUMMARY}2}`,
  });
  const pending = {
    reason: "Infeasible",
    message: "never",
    generation: 2,
    words: "",
  } as const;
  assert.deepEqual(pendingStep(POD, pending), {
    type: "Warning",
    reason: "ResizeInfeasible",
    message: `Pod resize Infeasible: ${SUMMARY}2,"error":"never"}`,
  });
});

Deno.test("resizeSteps() tells the end of a resize once", () => {
  const done = [["ResizeCompleted", `Pod resize completed: ${SUMMARY}3}`]];
  assert.deepEqual(told(status({}), status(undefined)), done);
  assert.deepEqual(told(status(undefined), status(undefined)), []);
  assert.deepEqual(told(undefined, status(undefined)), []);
  // So quick that nobody saw it under way.
  assert.deepEqual(told(status(undefined), status(undefined), 3), done);
  const ended: PodStatusJson = { ...status(undefined), phase: "Failed" };
  assert.deepEqual(told(status({}), ended), []);
});

Deno.test("resizeSteps() tells each error once", () => {
  const failed = status({ reason: "Error", message: "no" });
  const error = `Pod resize error: ${SUMMARY}3,"error":"no"}`;
  assert.deepEqual(told(status({}), failed), [["ResizeError", error]]);
  assert.deepEqual(told(failed, failed), []);
  assert.deepEqual(told(failed, status({})), []);
});
