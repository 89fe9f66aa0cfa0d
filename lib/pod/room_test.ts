import assert from "node:assert/strict";
import {
  aContainer,
  aPod,
  type FactParts,
  NOW_MS,
  type PodParts,
  someFacts,
} from "../../tests/build.ts";
import { podUid } from "../api/id.ts";
import type { V1Pod } from "../api/types.ts";
import type { AdmissionNode } from "./admit.ts";
import { decide } from "./decide.ts";

const NODE: AdmissionNode = {
  name: "node-1",
  labels: new Map(),
  taints: [],
  allocatable: new Map([["cpu", "2"], ["memory", "1Gi"], ["pods", "9"]]),
  os: "linux",
};

function asking(uid: string, cpu: string, parts: PodParts = {}): V1Pod {
  const resources = { requests: { cpu } };
  return aPod({
    containers: [aContainer({ resources })],
    uid,
    name: uid,
    ...parts,
  });
}

const CRITICAL = asking("critical", "1500m", {
  spec: { priority: 2_000_000_000 },
});
const A = asking("a", "1200m", { spec: { terminationGracePeriodSeconds: 40 } });
const B = asking("b", "500m");
const GOING = { graceSeconds: 40, untilMs: NOW_MS + 60_000 };

function plan(parts: FactParts, nowMs = NOW_MS) {
  const fresh = { isAdmitted: false, node: NODE, pod: CRITICAL };
  return decide(someFacts({ ...fresh, ...parts }), nowMs);
}

Deno.test("decide() has others go for a critical pod, and waits for them", () => {
  const made = plan({ others: [A, B] });
  assert.deepEqual(made.next, { kind: "waiting", for: "room" });
  assert.deepEqual(made.actions, [{
    kind: "preempt",
    resource: "cpu",
    victims: [{ uid: "a", title: "prod/a", preemption: GOING }],
  }]);
  assert.equal(made.wakeAtMs, GOING.untilMs);
});

Deno.test("decide() gives a victim ten seconds at least", () => {
  const brief = asking("a", "1200m", {
    spec: { terminationGracePeriodSeconds: 2 },
  });
  assert.equal(plan({ others: [brief] }).wakeAtMs, NOW_MS + 10_000);
});

Deno.test("decide() asks nobody else while victims are on their way", () => {
  const preemptions = new Map([[podUid("a"), GOING]]);
  const made = plan({ others: [A, B], preemptions });
  assert.deepEqual(made.next, { kind: "waiting", for: "room" });
  assert.deepEqual(made.actions, []);
  assert.match(made.blockers[0]?.message ?? "", /end of prod\/a/);
});

Deno.test("decide() lets the critical pod in as soon as there is room", () => {
  const kinds = (parts: FactParts, nowMs = NOW_MS) =>
    plan(parts, nowMs).actions.map(({ kind }) => kind);
  assert.ok(kinds({ others: [B] }).includes("run-sandbox"));
  // And when the victim does not end in time.
  const preemptions = new Map([[podUid("a"), GOING]]);
  const late = kinds({ others: [A], preemptions }, GOING.untilMs);
  assert.ok(late.includes("run-sandbox"));
});

Deno.test("decide() has lesser pods wait for victims, and refuses them else", () => {
  const pod = asking("late", "700m");
  const preemptions = new Map([[podUid("a"), GOING]]);
  const waiting = plan({ pod, others: [A, B], preemptions });
  assert.deepEqual(waiting.next, { kind: "waiting", for: "room" });
  assert.deepEqual(waiting.actions, []);
  const refused = plan({ pod, others: [A, B] });
  assert.equal(refused.next.kind, "done");
  // The room is the critical pod's.
  const taken = plan({ pod, others: [A, CRITICAL], preemptions });
  assert.equal(taken.next.kind, "done");
});

Deno.test("decide() refuses a critical pod for which nobody can go", () => {
  const others = [
    asking("system", "1", { spec: { priority: 2_000_000_000 } }),
    asking("a", "100m"),
  ];
  const { next, actions } = plan({ others });
  const words = "Unexpected error while attempting to recover from admission " +
    "failure: preemption: error finding a set of pods to preempt: no set of " +
    "running pods found to reclaim resources: [(res: cpu, q: 500), ]";
  assert.deepEqual(next, {
    kind: "done",
    refusal: {
      reason: "UnexpectedAdmissionError",
      message: `Pod was rejected: ${words}`,
    },
  });
  assert.deepEqual(actions.map(({ kind }) => kind), ["note"]);
});

Deno.test("decide() ends nobody for a pod that cannot run here anyway", () => {
  const pod = asking("critical", "1500m", {
    spec: { priority: 2_000_000_000, nodeName: "node-2" },
  });
  const made = plan({ pod, others: [A] });
  assert.deepEqual(made.actions.map(({ kind }) => kind), ["note"]);
  assert.equal(made.blockers[0]?.what, "NodeName");
});
