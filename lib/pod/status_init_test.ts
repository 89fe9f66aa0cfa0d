/** The status of pods with init, sidecar and ephemeral containers. */
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
import { containerId } from "../api/id.ts";
import type { PodStatusJson } from "../api/status.ts";
import type { V1Container, V1Pod } from "../api/types.ts";
import { DEADLINE_EXCEEDED } from "./deadline.ts";
import type { PodState } from "./state.ts";
import { podStatus } from "./status.ts";

const PROBED: Partial<V1Container> = {
  startupProbe: {},
  readinessProbe: {},
};

function podOf(
  init: readonly Partial<V1Container>[],
  own: Parameters<typeof aPod>[0] = {},
): V1Pod {
  return aPod({
    ...own,
    spec: {
      initContainers: ["i", "a"].slice(0, init.length)
        .map((name, index) => aContainer({ name, ...init[index] })),
      ...own.spec,
    },
    containers: own.containers ?? [aContainer({ name: "app" })],
  });
}

function status(
  pod: V1Pod,
  parts: FactParts,
  previous?: PodStatusJson,
  next: PodState = running(),
): PodStatusJson {
  const facts = someFacts({
    pod,
    state: running(),
    sandboxes: [aSandbox()],
    ...parts,
  });
  const plan = { next, actions: [], blockers: [], waiting: new Map() };
  return podStatus({ facts, plan, pod }, previous, NOW_MS);
}

function condition(made: PodStatusJson, type: string) {
  const { status, reason, message } =
    made.conditions.find((each) => each.type === type) ?? {};
  return [status, reason, message];
}

const ended = (name: string, pod: V1Pod, own = {}) =>
  anInstance({ id: name, name, pod, state: "exited", ...own });

Deno.test("podStatus() tells of init containers in the order of the spec", () => {
  const pod = podOf([{}, {}]);
  const made = status(pod, { containers: [anInstance({ name: "i", pod })] });
  assert.equal(made.phase, "Pending");
  const [i, a] = made.initContainerStatuses ?? [];
  assert.deepEqual([i?.name, a?.name], ["i", "a"]);
  assert.deepEqual([i?.ready, i?.started], [false, true]);
  const waits = { waiting: { reason: "PodInitializing" } };
  assert.deepEqual(a?.state, waits);
  assert.deepEqual(made.containerStatuses[0]?.state, waits);
  assert.deepEqual(condition(made, "Initialized"), [
    "False",
    "ContainersNotInitialized",
    "containers with incomplete status: [i a]",
  ]);
  assert.deepEqual(condition(made, "ContainersReady"), [
    "False",
    "ContainersNotReady",
    "containers with unready status: [app]",
  ]);
});

Deno.test("podStatus() calls an init container ready once it has ended well", () => {
  const pod = podOf([{}]);
  const made = status(pod, { containers: [ended("i", pod)] });
  assert.equal(made.initContainerStatuses?.[0]?.ready, true);
  assert.deepEqual(condition(made, "Initialized")[0], "True");
});

Deno.test("podStatus() takes a forgotten init container for completed once its pod runs", () => {
  const pod = podOf([{}, { restartPolicy: "Always" }]);
  const made = status(pod, {
    containers: [anInstance({ name: "app", pod, id: "app" })],
  });
  const [i, a] = made.initContainerStatuses ?? [];
  assert.equal(i?.state.terminated?.reason, "Completed");
  assert.equal(i?.ready, true);
  assert.ok(a?.state.waiting, "a sidecar is not");
  const before = status(pod, { containers: [ended("i", pod)] });
  const kept = status(pod, {
    containers: [anInstance({ name: "app", pod, id: "app" })],
  }, before).initContainerStatuses?.[0];
  assert.equal(kept?.state.terminated?.containerID, "containerd://i");
  assert.equal(kept?.ready, true);
});

Deno.test("podStatus() stays initialised while a pod starts anew", () => {
  const pod = podOf([{}]);
  const before = status(pod, { containers: [ended("i", pod)] });
  const made = status(pod, {
    containers: [anInstance({ name: "i", pod, id: "i2" })],
  }, before);
  assert.equal(condition(made, "Initialized")[0], "True");
  assert.equal(made.phase, "Pending");
});

Deno.test("podStatus() counts a sidecar among what must be ready", () => {
  const pod = podOf([{ restartPolicy: "Always", ...PROBED }]);
  const containers = [
    anInstance({ name: "app", pod, id: "app" }),
    anInstance({ name: "i", pod, id: "i" }),
  ];
  const verdict = (isStarted: boolean, isReady: boolean) =>
    new Map([[containerId("i"), { isStarted, isReady, failed: undefined }]]);
  const unready = status(pod, { containers, verdicts: verdict(true, false) });
  assert.deepEqual(condition(unready, "Ready"), [
    "False",
    "ContainersNotReady",
    "containers with unready status: [i]",
  ]);
  const made = status(pod, { containers, verdicts: verdict(true, true) });
  assert.equal(condition(made, "Ready")[0], "True");
});

Deno.test("podStatus() of a container with probes is what they say", () => {
  const pod = aPod({ containers: [aContainer({ name: "app", ...PROBED })] });
  const containers = [anInstance({ pod, id: "c1" })];
  const standing = (made: PodStatusJson) => {
    const [own] = made.containerStatuses;
    return [own?.started, own?.ready];
  };
  const say = (isStarted: boolean, isReady: boolean) => ({
    containers,
    verdicts: new Map([
      [containerId("c1"), { isStarted, isReady, failed: undefined }],
    ]),
  });
  assert.deepEqual(standing(status(pod, { containers })), [false, false]);
  const started = status(pod, say(true, false));
  assert.deepEqual(standing(started), [true, false]);
  const ready = status(pod, say(true, true));
  assert.deepEqual(standing(ready), [true, true]);
  // Another agent has asked nobody yet: what was told of this instance holds.
  const again = status(pod, { containers }, ready);
  assert.deepEqual(standing(again), [true, true]);
  const next = [anInstance({ pod, id: "c2" })];
  assert.deepEqual(standing(status(pod, { containers: next }, ready)), [
    false,
    false,
  ]);
});

Deno.test("podStatus() tells of ephemeral containers apart from all others", () => {
  const pod = aPod({
    spec: { ephemeralContainers: [{ name: "look", image: "b:1" }] },
  });
  const app = anInstance({ pod, id: "app" });
  const made = status(pod, { containers: [app] });
  const [waits] = made.ephemeralContainerStatuses ?? [];
  assert.deepEqual(waits?.state, { waiting: { reason: "ContainerCreating" } });
  assert.equal(made.phase, "Running");
  assert.equal(condition(made, "Ready")[0], "True");
  const look = aFailed({ pod, name: "look", id: "look" });
  const over = status(pod, { containers: [look, app] }, made);
  const [own] = over.ephemeralContainerStatuses ?? [];
  assert.equal(own?.state.terminated?.exitCode, 1);
  assert.equal(own?.ready, false);
  assert.equal(Object.hasOwn(own ?? {}, "started"), false);
  assert.equal(over.phase, "Running");
});

Deno.test("podStatus() of a pod deleted while it initialises ends only what was begun", () => {
  const pod = podOf([{}, {}]);
  const before = status(pod, { containers: [anInstance({ name: "i", pod })] });
  const made = status(pod, { sandboxes: [] }, before, { kind: "done" });
  assert.equal(made.phase, "Failed");
  const [i, a] = made.initContainerStatuses ?? [];
  assert.equal(i?.state.terminated?.reason, "ContainerStatusUnknown");
  assert.ok(a?.state.waiting);
  assert.ok(made.containerStatuses[0]?.state.waiting);
});

Deno.test("podStatus() of a pod whose time is over fails when nothing runs any more", () => {
  const pod = aPod({ spec: { activeDeadlineSeconds: 5 } });
  const parts: FactParts = {
    containers: [anInstance({ pod })],
    deadline: { atMs: NOW_MS, isPast: true },
  };
  const live = status(pod, { containers: [anInstance({ pod })] });
  const during = status(pod, parts, live);
  assert.equal(during.phase, "Running");
  assert.equal(condition(during, "Ready")[1], "PodFailed");
  const over = status(
    pod,
    {
      ...parts,
      sandboxes: [aSandbox({ isReady: false })],
      containers: [anInstance({ pod, state: "exited" })],
    },
    during,
    { kind: "done" },
  );
  const { reason, message } = over;
  assert.deepEqual({ reason, message }, DEADLINE_EXCEEDED);
  assert.equal(over.phase, "Failed");
  assert.equal(condition(over, "DisruptionTarget")[0], undefined);
});
