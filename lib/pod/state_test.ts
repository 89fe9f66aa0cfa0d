import assert from "node:assert/strict";
import { isLegalMove, type PodState } from "./state.ts";

const STATES: readonly PodState[] = [
  { kind: "waiting", for: "sources" },
  {
    kind: "stopping",
    order: { kind: "removed", graceSeconds: 1, message: "" },
    killAtMs: 0,
  },
  { kind: "cleaning" },
  { kind: "done" },
];

Deno.test("isLegalMove() never lets a pod leave its end backwards", () => {
  const [waiting, stopping, cleaning, done] = STATES;
  assert.ok(waiting && stopping && cleaning && done);
  assert.ok(!isLegalMove(stopping, waiting));
  assert.ok(!isLegalMove(cleaning, stopping));
  assert.ok(!isLegalMove(cleaning, waiting));
  assert.ok(isLegalMove(waiting, stopping));
  assert.ok(isLegalMove(stopping, cleaning));
  assert.ok(isLegalMove(cleaning, done));
  for (const state of STATES) assert.ok(isLegalMove(state, state));
});
