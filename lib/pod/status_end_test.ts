/** How a pod's status ends: stopped, deleted, evicted, refused, lost. */
import assert from "node:assert/strict";
import {
  aContainer,
  aFailed,
  anInstance,
  aPod,
  aSandbox,
  type FactParts,
  NOW_MS,
  running,
  someFacts,
} from "../../tests/build.ts";
import type { PodStatusJson } from "../api/status.ts";
import { secondsText } from "./container_state.ts";
import type { PodState, StopOrder } from "./state.ts";
import { podStatus, unseenStatus } from "./status.ts";

function status(
  parts: FactParts,
  next: PodState,
  previous?: PodStatusJson,
): PodStatusJson {
  const facts = someFacts(parts);
  const plan = { next, actions: [], blockers: [], waiting: new Map() };
  return podStatus({ facts, plan, pod: facts.pod ?? aPod() }, previous, NOW_MS);
}

const condition = (made: PodStatusJson, type: string) =>
  made.conditions.find((c) => c.type === type);

const DELETED = aPod();
DELETED.metadata = { ...DELETED.metadata, deletionTimestamp: new Date(NOW_MS) };
const RUNS: FactParts = {
  state: running(),
  sandboxes: [aSandbox()],
  containers: [anInstance()],
};
const LIVE = status(RUNS, running());
const LOST = "The container could not be located when the pod was ";

function stopping(own: Partial<StopOrder> = {}): PodState {
  const order: StopOrder = {
    kind: "deleted",
    graceSeconds: 30,
    message: "Deleted",
    ...own,
  };
  return { kind: "stopping", order, killAtMs: NOW_MS + 30_000 };
}

Deno.test("podStatus() of a pod that is deleted stays ready while it runs", () => {
  const made = status({ ...RUNS, pod: DELETED }, stopping(), LIVE);
  assert.deepEqual(made, LIVE);
});

Deno.test("podStatus() of a deleted pod ends as its containers did", () => {
  for (const [exitCode, expected] of [[0, "Succeeded"], [137, "Failed"]]) {
    const made = status(
      {
        pod: DELETED,
        state: stopping(),
        sandboxes: [aSandbox({ isReady: false })],
        containers: [aFailed({ exitCode: Number(exitCode) })],
      },
      { kind: "cleaning" },
      LIVE,
    );
    assert.equal(made.phase, expected);
    assert.equal(condition(made, "Ready")?.status, "False");
    const gone = { pod: DELETED, state: { kind: "cleaning" } } as const;
    const after = status(gone, { kind: "done" }, made);
    assert.deepEqual(after.containerStatuses, made.containerStatuses);
    assert.equal(after.phase, expected);
    assert.equal(after.podIP, "10.0.0.5");
  }
});

Deno.test("podStatus() of a deleted pod that never ran has failed", () => {
  const pending = status({}, { kind: "waiting", for: "sandbox" });
  const made = status({ pod: DELETED }, { kind: "done" }, pending);
  assert.equal(made.phase, "Failed");
  assert.deepEqual(made.containerStatuses[0]?.state.terminated, {
    exitCode: 137,
    reason: "ContainerStatusUnknown",
    message: `${LOST}terminated`,
  });
  assert.equal(made.containerStatuses[0]?.restartCount, 0);
});

Deno.test("podStatus() withholds the end until nothing runs any more", () => {
  const pod = aPod({ spec: { restartPolicy: "Never" } });
  const parts = { ...RUNS, pod, containers: [aFailed({ pod })] };
  const made = status(parts, running(), LIVE);
  assert.equal(made.phase, "Running");
  assert.equal(condition(made, "Ready")?.reason, "PodFailed");
  const still = status(parts, { kind: "done" }, made);
  assert.equal(still.phase, "Running");
  const sandboxes = [aSandbox({ isReady: false })];
  const done = status({ ...parts, sandboxes }, { kind: "done" }, still);
  assert.equal(done.phase, "Failed");
  assert.equal(done.reason, undefined);
});

Deno.test("podStatus() takes no container for lost that is being stopped", () => {
  const pod = aPod({ spec: { restartPolicy: "Never" } });
  const containers = [anInstance({ pod })];
  const made = status({ pod, containers }, { kind: "done" }, LIVE);
  assert.equal(made.phase, "Running");
  assert.ok(made.containerStatuses[0]?.state.running);
});

Deno.test("podStatus() of an eviction is told when it is over", () => {
  const disruption = { reason: "Evicted", message: "The node was low" };
  const order = stopping({ disruption });
  const during = status(RUNS, order, LIVE);
  assert.deepEqual(during, LIVE);
  const parts = {
    state: order,
    sandboxes: [aSandbox({ isReady: false })],
    containers: [aFailed({ exitCode: 143 })],
  };
  const over = status(parts, { kind: "cleaning" }, during);
  assert.deepEqual([over.phase, over.reason, over.message], [
    "Failed",
    "Evicted",
    "The node was low",
  ]);
  assert.deepEqual(condition(over, "DisruptionTarget"), {
    type: "DisruptionTarget",
    status: "True",
    reason: "TerminationByKubelet",
    message: "The node was low",
    lastTransitionTime: secondsText(NOW_MS),
  });
  const later = { ...parts, state: { kind: "cleaning" } } as const;
  assert.deepEqual(status(later, { kind: "done" }, over), over);
});

Deno.test("podStatus() repeats no disruption that somebody else has told", () => {
  const others = {
    type: "DisruptionTarget",
    status: "True",
    reason: "PreemptionByScheduler",
    lastTransitionTime: secondsText(0),
  } as const;
  const held = { ...LIVE, conditions: [others, ...LIVE.conditions] };
  assert.deepEqual(status(RUNS, running(), held), LIVE);
});

Deno.test("podStatus() of a refused pod has its reason, and nothing else", () => {
  const refusal = {
    reason: "NodeAffinity",
    message: "Pod was rejected: Predicate NodeAffinity failed",
  };
  const pod = aPod();
  pod.metadata = { ...pod.metadata, generation: 2 };
  const parts = { pod, hostIps: ["192.0.2.1"] };
  const made = status(parts, { kind: "done", refusal }, unseenStatus(pod));
  assert.deepEqual(made, {
    observedGeneration: 2,
    phase: "Failed",
    ...refusal,
    conditions: [],
    startTime: secondsText(NOW_MS),
    qosClass: "BestEffort",
    containerStatuses: [],
  });
  const again = status(parts, { kind: "done" }, made);
  assert.deepEqual(again, made, "also for an agent that did not refuse it");
});

Deno.test("podStatus() never leaves a terminal phase, nor its reason", () => {
  const held: PodStatusJson = { ...LIVE, phase: "Failed", reason: "Lost" };
  const made = status(RUNS, running(), held);
  assert.deepEqual([made.phase, made.reason], ["Failed", "Lost"]);
  assert.equal(condition(made, "Ready")?.reason, "PodFailed");
  const pod = aPod();
  pod.status = { phase: "Failed", reason: "NodeLost", message: "gone" };
  const told = status({ ...RUNS, pod }, running(), LIVE);
  assert.deepEqual([told.phase, told.reason, told.message], [
    "Failed",
    "NodeLost",
    "gone",
  ]);
});

Deno.test("podStatus() says that a container which ran is lost, once", () => {
  const parts = { ...RUNS, containers: [] };
  const made = status(parts, running(), LIVE);
  const [lost] = made.containerStatuses;
  assert.equal(made.phase, "Running");
  assert.equal(lost?.restartCount, 1);
  assert.deepEqual(lost?.state, { waiting: { reason: "ContainerCreating" } });
  assert.deepEqual(lost?.lastState.terminated, {
    exitCode: 137,
    reason: "ContainerStatusUnknown",
    message: `${LOST}deleted.  The container used to be Running`,
  });
  assert.deepEqual(status(parts, running(), made), made);
  const next = anInstance({ id: "c9", attempt: 1 });
  const after = status({ ...RUNS, containers: [next] }, running(), made);
  assert.equal(after.containerStatuses[0]?.restartCount, 1);
  assert.deepEqual(after.containerStatuses[0]?.lastState, lost?.lastState);
  const deleted = status({ ...parts, pod: DELETED }, stopping(), LIVE);
  assert.equal(deleted.containerStatuses[0]?.restartCount, 0);
});

Deno.test("podStatus() does not tell that what has ended for good runs", () => {
  const pod = aPod({ spec: { restartPolicy: "Never" } });
  const ended = { ...RUNS, pod, containers: [aFailed({ pod })] };
  const before = status(ended, { kind: "done" });
  const again = { ...RUNS, pod, containers: [anInstance({ id: "c9", pod })] };
  assert.equal(status(again, running(), before), before);
});

Deno.test("podStatus() of a static pod that is removed gives it no phase", () => {
  const annotations = { "kubernetes.io/config.source": "file" };
  const pod = aPod({ annotations, containers: [aContainer()] });
  const made = status({ pod }, { kind: "cleaning" });
  assert.equal(made.phase, "Pending");
  assert.ok(made.containerStatuses[0]?.state.waiting);
});
