import assert from "node:assert/strict";
import { plan } from "../../tests/fakes/legal_plan.ts";
import {
  aFailed,
  aFailure,
  anInstance,
  aPod,
  aSandbox,
  NOW_MS,
  running,
} from "../../tests/build.ts";
import type { PodState } from "./state.ts";
import { kinds, only, removed } from "./decide_fixture_test.ts";

Deno.test("decide() stops and then removes a pod that no source wants", () => {
  const made = plan({
    ...removed,
    state: running(),
    sandboxes: [aSandbox()],
    containers: [anInstance()],
  });
  assert.deepEqual(kinds(made), ["stop-containers"]);
  assert.deepEqual(only(made, "stop-containers")[0]?.containers, [{
    id: anInstance().id,
    name: "web",
    graceSeconds: 30,
    killAtMs: NOW_MS + 30_000,
    message: "Stopping container web",
    after: [],
  }]);
  assert.equal(made.next.kind, "stopping");
  assert.equal(
    made.next.kind === "stopping" && made.next.killAtMs,
    NOW_MS + 30_000,
  );
});

Deno.test("decide() takes the grace of a removed pod from its container", () => {
  for (const [spec, grace] of [[0, 0], [1, 1], [7, 7], [600, 600]] as const) {
    const pod = aPod({ spec: { terminationGracePeriodSeconds: spec } });
    const made = plan({
      ...removed,
      sandboxes: [aSandbox()],
      containers: [anInstance({ pod })],
    });
    const [stop] = only(made, "stop-containers");
    assert.equal(stop?.containers[0]?.graceSeconds, grace);
  }
});

Deno.test("decide() gives what is left of the grace on a later pass", () => {
  const state: PodState = {
    kind: "stopping",
    order: { kind: "removed", graceSeconds: 30, message: "" },
    killAtMs: NOW_MS + 30_000,
  };
  const table = [[0, 30], [10_001, 20], [29_500, 1], [90_000, 0]] as const;
  for (const [laterMs, expected] of table) {
    const made = plan({
      ...removed,
      state,
      sandboxes: [aSandbox()],
      containers: [anInstance()],
    }, NOW_MS + laterMs);
    const [stop] = only(made, "stop-containers");
    assert.equal(stop?.containers[0]?.graceSeconds, expected);
    assert.equal(
      made.next.kind === "stopping" && made.next.killAtMs,
      NOW_MS + 30_000,
    );
  }
});

Deno.test("decide() orders a stop once, and again only to shorten it", () => {
  const state: PodState = {
    kind: "stopping",
    order: { kind: "removed", graceSeconds: 30, message: "" },
    killAtMs: NOW_MS + 30_000,
  };
  const { id } = anInstance();
  const table = [
    [NOW_MS + 30_000, []],
    [NOW_MS + 20_000, []],
    [NOW_MS + 31_000, ["stop-containers"]],
  ] as const;
  for (const [killAtMs, expected] of table) {
    const made = plan({
      ...removed,
      state,
      sandboxes: [aSandbox()],
      containers: [anInstance()],
      stops: new Map([[id, { killAtMs }]]),
    });
    assert.deepEqual(kinds(made), expected);
    assert.equal(made.next.kind, "stopping");
  }
});

Deno.test("decide() tries a failed stop again when it is due", () => {
  for (const [laterMs, expected] of [[1, []], [0, ["stop-containers"]]]) {
    const retryAtMs = NOW_MS + Number(laterMs);
    const made = plan({
      ...removed,
      sandboxes: [aSandbox()],
      containers: [anInstance()],
      stops: new Map([[anInstance().id, {
        killAtMs: NOW_MS,
        failure: aFailure({ reason: "FailedKillPod", retryAtMs }),
      }]]),
    });
    assert.deepEqual(kinds(made), expected);
    assert.equal(made.wakeAtMs, laterMs === 0 ? undefined : retryAtMs);
    const [blocker] = made.blockers;
    assert.equal(blocker?.what, laterMs === 0 ? "stopping" : "FailedKillPod");
  }
});

Deno.test("decide() finishes stopping a pod that is wanted again meanwhile", () => {
  const made = plan({
    state: {
      kind: "stopping",
      order: { kind: "removed", graceSeconds: 30, message: "" },
      killAtMs: NOW_MS + 5_000,
    },
    sandboxes: [aSandbox()],
    containers: [anInstance()],
  });
  assert.equal(kinds(made)[0], "stop-containers");
  assert.equal(made.next.kind, "stopping");
});

Deno.test("decide() removes a pod whose containers were only created", () => {
  const made = plan({
    ...removed,
    state: running(),
    sandboxes: [aSandbox()],
    containers: [anInstance({ state: "created" })],
  });
  assert.deepEqual(only(made, "stop-containers"), []);
  assert.ok(kinds(made).includes("remove-sandbox"));
});

Deno.test("decide() ends in done when nothing of a removed pod is left", () => {
  const made = plan({ ...removed, state: { kind: "cleaning" } });
  assert.deepEqual(made.actions, []);
  assert.deepEqual(made.next, { kind: "done" });
});

Deno.test("decide() is not done while files could not be removed", () => {
  const made = plan({
    ...removed,
    state: { kind: "cleaning" },
    failures: { remove: aFailure({ reason: "retry" }) },
  });
  assert.equal(made.next.kind, "cleaning");
  assert.equal(made.wakeAtMs, NOW_MS + 5_000);
});

Deno.test("decide() removes the sandbox last, because it carries the name", () => {
  const made = plan({
    ...removed,
    state: { kind: "cleaning" },
    sandboxes: [aSandbox({ isReady: false })],
    containers: [aFailed()],
  });
  assert.equal(kinds(made).at(-1), "remove-sandbox");
  assert.ok(kinds(made).includes("remove-pod-files"));
  assert.ok(kinds(made).includes("remove-cgroup"));
});

Deno.test("decide() waits before it tries a failed removal again", () => {
  const failures = { remove: aFailure({ reason: "retry" }) };
  const cleaning = plan({
    ...removed,
    state: { kind: "cleaning" },
    sandboxes: [aSandbox()],
    failures,
  });
  assert.deepEqual(cleaning.actions, []);
  assert.equal(cleaning.wakeAtMs, NOW_MS + 5_000);
  const stopping = plan({
    ...removed,
    state: running(),
    sandboxes: [aSandbox()],
    containers: [anInstance()],
    failures,
  });
  assert.deepEqual(stopping.actions, [], "a failed stop waits too");
  assert.equal(stopping.next.kind, "stopping");
  assert.equal(stopping.wakeAtMs, NOW_MS + 5_000);
});
