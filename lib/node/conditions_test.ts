import assert from "node:assert/strict";
import {
  type ConditionFacts,
  conditionSteps,
  joined,
  latest,
  nodeConditions,
  readyFailures,
} from "./conditions.ts";
import { facts, NOW, NOW_MS, RUNTIME, SEEN } from "./fixture_test.ts";
import { NO_PRESSURE, type NodeCondition } from "./types.ts";

const EARLIER = "2026-01-02T03:00:00Z";
const LATER_MS = NOW_MS + 60_000;
const LATER = "2026-01-02T03:05:05Z";

const WELL: ConditionFacts = {
  pressure: NO_PRESSURE,
  failures: [],
  warnings: [],
  nowMs: NOW_MS,
};

function of(
  change: Partial<ConditionFacts> = {},
  known: readonly NodeCondition[] = [],
  pending: readonly NodeCondition[] = [],
) {
  return nodeConditions({ known, pending }, { ...WELL, ...change });
}

function aCondition(change: Partial<NodeCondition>): NodeCondition {
  return {
    type: "Ready",
    status: "True",
    lastHeartbeatTime: EARLIER,
    lastTransitionTime: EARLIER,
    reason: "KubeletReady",
    message: "kubelet is posting ready status",
    ...change,
  };
}

const brief = (list: readonly NodeCondition[]) =>
  list.map(({ type, status, reason }) => `${type}=${status} ${reason}`);

Deno.test("nodeConditions() of a new node that is well", () => {
  assert.deepEqual(brief(of()), [
    "MemoryPressure=False KubeletHasSufficientMemory",
    "DiskPressure=False KubeletHasNoDiskPressure",
    "PIDPressure=False KubeletHasSufficientPID",
    "Ready=True KubeletReady",
  ]);
  assert.deepEqual(of()[3], {
    type: "Ready",
    status: "True",
    lastHeartbeatTime: NOW,
    lastTransitionTime: NOW,
    reason: "KubeletReady",
    message: "kubelet is posting ready status",
  });
});

Deno.test("nodeConditions() of a node that cannot measure its disk", () => {
  const why = "nodefs.available could not be measured";
  const pressure = {
    ...NO_PRESSURE,
    unmeasured: new Map([["DiskPressure", why]]),
  };
  const after = of({ pressure });
  assert.equal(brief(after)[1], "DiskPressure=Unknown KubeletCannotMeasure");
  assert.equal(after[1]?.message, `nobody is evicted for it: ${why}`);
  assert.deepEqual(conditionSteps("n", of(), after), []);
  // What was seen to be short stays so.
  const short = of({ pressure: { ...pressure, isDiskShort: true } });
  assert.equal(brief(short)[1], "DiskPressure=True KubeletHasDiskPressure");
});

Deno.test("nodeConditions() of a node where everything is short", () => {
  const pressure = {
    ...NO_PRESSURE,
    ...{ isMemoryShort: true, isDiskShort: true, isPidShort: true },
  };
  assert.deepEqual(brief(of({ pressure, failures: ["a", "b", "a"] })), [
    "MemoryPressure=True KubeletHasInsufficientMemory",
    "DiskPressure=True KubeletHasDiskPressure",
    "PIDPressure=True KubeletHasInsufficientPID",
    "Ready=False KubeletNotReady",
  ]);
  const messages = of({ pressure, failures: ["a", "b", "a"] })
    .map(({ message }) => message);
  assert.deepEqual(messages, [
    "kubelet has insufficient memory available",
    "kubelet has disk pressure",
    "kubelet has insufficient PID available",
    "[a, b]",
  ]);
});

Deno.test("nodeConditions() appends warnings to the Ready message", () => {
  assert.equal(
    of({ warnings: ["clock is off"] })[3]?.message,
    "kubelet is posting ready status. WARNING: clock is off",
  );
  assert.equal(
    of({ failures: ["down"], warnings: ["a", "b"] })[3]?.message,
    "down. WARNING: [a, b]",
  );
});

Deno.test("nodeConditions() keeps times, places and what is not ours", () => {
  const foreign = aCondition({ type: "KernelDeadlock", status: "False" });
  const known = [
    aCondition({}),
    foreign,
    aCondition({ type: "MemoryPressure", status: "True" }),
  ];
  const list = of({ nowMs: LATER_MS }, known);
  assert.deepEqual(list.map(({ type }) => type), [
    "Ready",
    "KernelDeadlock",
    "MemoryPressure",
    "DiskPressure",
    "PIDPressure",
  ]);
  assert.deepEqual(list[1], foreign);
  assert.equal(list[0]?.lastTransitionTime, EARLIER);
  assert.equal(list[0]?.lastHeartbeatTime, LATER);
  assert.equal(list[2]?.lastTransitionTime, LATER);
});

Deno.test("nodeConditions() keeps the time of a change not sent yet", () => {
  const known = [aCondition({})];
  const pending = of({ failures: ["down"] }, known);
  const later = of({ failures: ["down"], nowMs: LATER_MS }, known, pending);
  assert.equal(later[0]?.lastTransitionTime, NOW);
});

Deno.test("nodeConditions() dates the return from Unknown by its own time", () => {
  const pending = of({}, [aCondition({})]);
  const lost = aCondition({ status: "Unknown", lastTransitionTime: NOW });
  const back = of({ nowMs: LATER_MS }, [lost], pending);
  assert.equal(back[0]?.status, "True");
  assert.equal(back[0]?.lastTransitionTime, LATER);
});

Deno.test("conditionSteps() tells each change once", () => {
  const reasons = (
    before: readonly NodeCondition[],
    after: readonly NodeCondition[],
  ) => conditionSteps("node-1", before, after).map(({ reason }) => reason);
  assert.deepEqual(reasons([], of()), [
    "NodeHasSufficientMemory",
    "NodeHasNoDiskPressure",
    "NodeHasSufficientPID",
  ]);
  assert.deepEqual(reasons(of(), of()), []);
  assert.deepEqual(reasons(of(), of({ failures: ["x"] })), ["NodeNotReady"]);
  assert.deepEqual(reasons(of({ failures: ["x"] }), of()), ["NodeReady"]);
  const pressure = { ...NO_PRESSURE, isDiskShort: true };
  assert.deepEqual(reasons(of(), of({ pressure })), ["NodeHasDiskPressure"]);
  const [step] = conditionSteps("node-1", of({ failures: ["x"] }), of());
  assert.deepEqual(step, {
    type: "Normal",
    reason: "NodeReady",
    message: "Node node-1 status is now: NodeReady",
  });
});

Deno.test("latest() is ours unless somebody changed it after us", () => {
  const ours = aCondition({ status: "False", lastTransitionTime: NOW });
  const old = aCondition({});
  assert.deepEqual(latest({ known: [old], pending: [ours] }), [ours]);
  const newer = aCondition({ status: "Unknown", lastTransitionTime: LATER });
  assert.deepEqual(latest({ known: [newer], pending: [ours] }), [newer]);
  assert.deepEqual(latest({ known: [], pending: [ours] }), [ours]);
});

Deno.test("readyFailures() are upstream's words in upstream's order", () => {
  assert.deepEqual(readyFailures(facts(), []), []);
  const unmet = { isMet: false, reason: "R", message: "m" };
  const seen = {
    ...SEEN,
    runtimeStatus: { ...RUNTIME, runtime: unmet, network: unmet },
  };
  assert.deepEqual(
    readyFailures(facts({ seen, isShuttingDown: true }), ["cpu", "pods"]),
    [
      "container runtime not ready: RuntimeReady=false reason:R message:m",
      "container runtime network not ready: " +
      "NetworkReady=false reason:R message:m",
      "node is shutting down",
      "missing node capacity for resources: cpu, pods",
    ],
  );
});

Deno.test("readyFailures() forgive a runtime that is silent for a moment", () => {
  const cases = [[0, []], [29_999, []], [
    30_000,
    ["container runtime is down"],
  ]] as const;
  for (const [silentMs, failures] of cases) {
    const seen = { ...SEEN, runtimeSilentSinceMs: 1_000 };
    const now = facts({ seen, monotonicMs: 1_000 + silentMs });
    assert.deepEqual(readyFailures(now, []), failures);
  }
  const unheard = facts({ seen: { ...SEEN, runtimeStatus: undefined } });
  assert.deepEqual(readyFailures(unheard, []), [
    "container runtime status check may not have completed yet",
  ]);
});

Deno.test("joined() is one message or a list", () => {
  assert.equal(joined(["a"]), "a");
  assert.equal(joined(["a", "a"]), "a");
  assert.equal(joined(["a", "b"]), "[a, b]");
});
