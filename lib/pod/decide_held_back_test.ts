import assert from "node:assert/strict";
import {
  aContainer,
  aFailed,
  aFailure,
  anInstance,
  aPod,
  aSandbox,
  NOW_MS,
  running,
} from "../../tests/build.ts";
import { plan } from "../../tests/fakes/legal_plan.ts";

const never = aPod({ spec: { restartPolicy: "Never" } });

Deno.test("decide() waits after a stop or removal failed while the pod runs", () => {
  const failures = { remove: aFailure({ reason: "retry" }) };
  const changed = aContainer({ image: "busybox:0" });
  const finished = plan({
    pod: never,
    state: running(),
    sandboxes: [aSandbox()],
    containers: [aFailed({ pod: never })],
    failures,
  });
  assert.deepEqual(finished.actions, [], "stop of the finished pod's network");
  const replaced = plan({
    state: running(),
    sandboxes: [aSandbox()],
    containers: [anInstance({ spec: changed })],
    failures,
  });
  assert.deepEqual(replaced.actions, [], "stop of a changed container");
  const stale = plan({
    state: running(),
    sandboxes: [aSandbox()],
    containers: [
      anInstance({ id: "c2", attempt: 2 }),
      aFailed({ id: "c1", attempt: 1 }),
      aFailed({ id: "c0" }),
    ],
    failures,
  });
  assert.deepEqual(stale.actions, [], "removal of a dead instance");
  for (const made of [finished, replaced, stale]) {
    assert.equal(made.wakeAtMs, NOW_MS + 5_000);
  }
});
