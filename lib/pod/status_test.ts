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
  SETTINGS,
  someFacts,
} from "../../tests/build.ts";
import type { PodStatusJson } from "../api/status.ts";
import { secondsText } from "./container_state.ts";
import { decide } from "./decide.ts";
import { podStatus } from "./status.ts";

function status(
  parts: FactParts,
  previous?: PodStatusJson,
  nowMs = NOW_MS,
): PodStatusJson {
  const facts = someFacts(parts);
  const plan = decide(facts, nowMs);
  const pod = facts.pod ?? aPod();
  return podStatus({ facts, plan, pod }, previous, nowMs);
}

const condition = (made: PodStatusJson, type: string) =>
  made.conditions.find((c) => c.type === type);

const RUNS = {
  state: running(),
  sandboxes: [aSandbox()],
  containers: [anInstance()],
};

Deno.test("podStatus() of a new pod is pending, with nothing ready but its place", () => {
  const made = status({});
  assert.equal(made.phase, "Pending");
  assert.equal(made.podIP, undefined);
  assert.equal(made.startTime, secondsText(NOW_MS));
  assert.equal(made.qosClass, "BestEffort");
  assert.deepEqual(
    made.conditions.map(({ type, status, reason }) => [type, status, reason]),
    [
      ["PodReadyToStartContainers", "False", undefined],
      ["Initialized", "True", undefined],
      ["Ready", "False", "ContainersNotReady"],
      ["ContainersReady", "False", "ContainersNotReady"],
      ["PodScheduled", "True", undefined],
    ],
  );
  assert.equal(
    condition(made, "Ready")?.message,
    "containers with unready status: [web]",
  );
});

Deno.test("podStatus() does not tell of the sandbox where the gate is off", () => {
  const gates = { ...SETTINGS.gates, hasReadyToStart: false };
  const made = status({ settings: { ...SETTINGS, gates } });
  assert.equal(condition(made, "PodReadyToStartContainers"), undefined);
});

Deno.test("podStatus() of a running pod is ready and has its addresses", () => {
  const made = status({
    ...RUNS,
    sandboxes: [aSandbox({ ips: ["10.0.0.5", "fd00::5"] })],
  });
  assert.equal(made.phase, "Running");
  assert.equal(made.podIP, "10.0.0.5");
  assert.deepEqual(made.podIPs, [{ ip: "10.0.0.5" }, { ip: "fd00::5" }]);
  assert.ok(made.conditions.every((c) => c.status === "True"));
  assert.equal(made.startTime, secondsText(NOW_MS - 60_000), "when adopted");
});

Deno.test("podStatus() keeps what it once said about times", () => {
  const before = status({});
  const after = status(RUNS, before, NOW_MS + 5_000);
  assert.equal(after.startTime, before.startTime);
  assert.equal(
    condition(after, "Initialized")?.lastTransitionTime,
    secondsText(NOW_MS),
  );
  assert.equal(
    condition(after, "Ready")?.lastTransitionTime,
    secondsText(NOW_MS + 5_000),
  );
  const later = status(RUNS, after, NOW_MS + 60_000);
  assert.deepEqual(later, after, "nothing changed, so the same status");
});

Deno.test("podStatus() says how a pod that is done has ended", () => {
  for (
    const [exitCode, phase, reason] of [
      [0, "Succeeded", "PodCompleted"],
      [1, "Failed", "PodFailed"],
    ] as const
  ) {
    const pod = aPod({ spec: { restartPolicy: "Never" } });
    const made = status({
      pod,
      state: { kind: "done" },
      sandboxes: [aSandbox({ isReady: false })],
      containers: [aFailed({ pod, exitCode })],
    });
    assert.equal(made.phase, phase);
    assert.equal(condition(made, "Ready")?.reason, reason);
    assert.equal(condition(made, "ContainersReady")?.status, "False");
    assert.equal(condition(made, "Initialized")?.status, "True");
    assert.equal(
      condition(made, "Initialized")?.reason,
      exitCode === 0 ? "PodCompleted" : undefined,
    );
    assert.equal(condition(made, "PodReadyToStartContainers")?.status, "False");
  }
});

Deno.test("podStatus() of a crash loop is running but not ready", () => {
  const made = status({
    ...RUNS,
    containers: [aFailed({ crashDelayMs: 20_000 })],
  });
  assert.equal(made.phase, "Running");
  assert.equal(
    made.containerStatuses[0]?.state.waiting?.reason,
    "CrashLoopBackOff",
  );
  assert.equal(condition(made, "Ready")?.status, "False");
});

Deno.test("podStatus() lists containers by name, and unready ones as the spec does", () => {
  const pod = aPod({
    containers: ["b", "c", "a"].map((name) => aContainer({ name })),
  });
  const made = status({ pod });
  assert.deepEqual(
    made.containerStatuses.map(({ name }) => name),
    ["a", "b", "c"],
  );
  assert.equal(
    condition(made, "Ready")?.message,
    "containers with unready status: [b c a]",
  );
});

Deno.test("podStatus() of a pod that is not supported is pending", () => {
  const made = status({ pod: aPod({ spec: { runtimeClassName: "kata" } }) });
  assert.equal(made.phase, "Pending");
  assert.deepEqual(made.containerStatuses[0]?.state, {
    waiting: { reason: "ContainerCreating" },
  });
});

Deno.test("podStatus() of a refused container names what is wrong", () => {
  const fieldRef = { fieldPath: "status.phase" };
  const env = [{ name: "X", valueFrom: { fieldRef } }];
  const pod = aPod({ containers: [aContainer({ env })] });
  const made = status({
    pod,
    sandboxes: [aSandbox()],
    images: { web: { kind: "present", ref: "r", uid: 1n, userName: "" } },
  });
  assert.equal(
    made.containerStatuses[0]?.state.waiting?.reason,
    "CreateContainerConfigError",
  );
});
