import assert from "node:assert/strict";
import {
  anInstance,
  aPod,
  aSandbox,
  type FactParts,
  NOW_MS,
  running,
} from "../../tests/build.ts";
import { plan } from "../../tests/fakes/legal_plan.ts";
import { secondsText } from "./container_state.ts";
import { deadlineOf } from "./deadline.ts";

const POD = aPod({ spec: { activeDeadlineSeconds: 60 } });
const LIVE: FactParts = {
  pod: POD,
  state: running(),
  sandboxes: [aSandbox()],
  containers: [anInstance({ pod: POD })],
};

Deno.test("deadlineOf() counts from the start that was told", () => {
  const since = (ms: number) => secondsText(NOW_MS - ms);
  assert.equal(deadlineOf(aPod(), since(0), NOW_MS), undefined);
  assert.deepEqual(deadlineOf(POD, since(59_000), NOW_MS), {
    atMs: NOW_MS + 1_000,
    isPast: false,
  });
  assert.equal(deadlineOf(POD, since(60_000), NOW_MS)?.isPast, true);
  for (const unknown of [undefined, "", "soon"]) {
    assert.equal(deadlineOf(POD, unknown, NOW_MS)?.atMs, NOW_MS + 60_000);
  }
});

Deno.test("decide() wakes at the deadline of a pod that is well", () => {
  const atMs = NOW_MS + 7_000;
  const made = plan({ ...LIVE, deadline: { atMs, isPast: false } });
  assert.deepEqual(made.actions, []);
  assert.equal(made.wakeAtMs, atMs);
});

Deno.test("decide() stops a pod whose time is over, and says so once", () => {
  const deadline = { atMs: NOW_MS, isPast: true };
  const made = plan({ ...LIVE, deadline });
  assert.equal(made.next.kind, "stopping");
  assert.deepEqual(
    made.actions.map(({ kind }) => kind).slice(0, 2),
    ["note", "stop-containers"],
  );
  const again = plan({ ...LIVE, deadline, state: made.next });
  assert.ok(again.actions.every(({ kind }) => kind !== "note"));
  const over = plan({
    ...LIVE,
    deadline,
    state: { kind: "done" },
    sandboxes: [aSandbox({ isReady: false })],
    containers: [anInstance({ pod: POD, state: "exited" })],
  });
  assert.deepEqual(over.next, { kind: "done" });
  assert.deepEqual(over.actions, []);
});
