/** After a restart of the agent its projection is what the server holds. */
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
import { decide } from "./decide.ts";
import { podStatus } from "./status.ts";
import { unchanged } from "./status_change.ts";

const HOUR_MS = 3_600_000;

function project(
  parts: FactParts,
  previous: PodStatusJson | undefined,
  nowMs: number,
): PodStatusJson {
  const facts = someFacts({ hostIps: ["192.0.2.1", "2001:db8::1"], ...parts });
  const plan = decide(facts, nowMs);
  return podStatus({ facts, plan, pod: facts.pod ?? aPod() }, previous, nowMs);
}

/** As the API server shows it: nulls for no time, and others' conditions. */
function stored(status: PodStatusJson): PodStatusJson {
  const text = JSON.stringify(
    {
      ...status,
      conditions: [
        { type: "example.com/Gate", status: "True", lastProbeTime: null },
        ...status.conditions.map((each) => ({ ...each, lastProbeTime: null })),
      ],
      initContainerStatuses: [],
      nominatedNodeName: "other",
    },
    (key, value) =>
      key === "terminated"
        ? { startedAt: null, finishedAt: null, ...value }
        : value,
  );
  return JSON.parse(text);
}

function pod() {
  const mount = { name: "v", mountPath: "/v", readOnly: true };
  const made = aPod({
    containers: [aContainer({
      resources: { requests: { cpu: "100m" } },
      volumeMounts: [mount],
    })],
    spec: { readinessGates: [{ conditionType: "example.com/Gate" }] },
  });
  made.metadata = { ...made.metadata, generation: 3 };
  return made;
}

const GATED = pod();
GATED.status = { conditions: [{ type: "example.com/Gate", status: "True" }] };
const LOST: FactParts = { pod: GATED, sandboxes: [aSandbox()] };
const CASES: Readonly<Record<string, FactParts>> = {
  "a pod that waits": { pod: GATED },
  "a pod that runs": { ...LOST, containers: [anInstance({ pod: pod() })] },
  "a crash loop": {
    ...LOST,
    containers: [
      aFailed({ pod: pod(), id: "c1", attempt: 4, crashDelayMs: 2 * HOUR_MS }),
      aFailed({ pod: pod(), id: "c0", attempt: 3 }),
    ],
  },
  "a pod that has lost its container": LOST,
};

for (const [name, parts] of Object.entries(CASES)) {
  Deno.test(`podStatus() of ${name} is the same after a restart`, () => {
    const first = project(
      { ...LOST, containers: [anInstance({ pod: pod() })], state: running() },
      undefined,
      NOW_MS - HOUR_MS,
    );
    const last = project({ ...parts, state: running() }, first, NOW_MS);
    const held = stored(last);
    assert.ok(unchanged(held, last));
    const restarted = { kind: "waiting", for: "sources" } as const;
    const again = project({ ...parts, state: restarted }, held, NOW_MS + 1000);
    assert.deepEqual(again, last);
    const unknown = project(
      { ...parts, state: restarted, hostIps: [] },
      held,
      NOW_MS + 1000,
    );
    assert.deepEqual(unknown, last, "the node's addresses are not known yet");
  });
}

Deno.test("podStatus() keeps restart counts and ends the runtime has forgotten", () => {
  const crashed = project(
    { ...CASES["a crash loop"], state: running() },
    undefined,
    NOW_MS,
  );
  const containers = [anInstance({ pod: pod(), id: "c7", attempt: 0 })];
  const next = project({ ...LOST, containers }, stored(crashed), NOW_MS);
  const [status] = next.containerStatuses;
  assert.equal(status?.restartCount, 4);
  assert.equal(status?.lastState.terminated?.exitCode, 1);
});

Deno.test("podStatus() reads gates from the pod, and counts generations up", () => {
  const gated = pod();
  const parts = { pod: gated, state: running(), sandboxes: [aSandbox()] };
  const containers = [anInstance({ pod: gated })];
  const ready = (made: PodStatusJson) =>
    made.conditions.find(({ type }) => type === "Ready");
  const closed = project({ ...parts, containers }, undefined, NOW_MS);
  assert.equal(ready(closed)?.reason, "ReadinessGatesNotReady");
  assert.match(ready(closed)?.message ?? "", /^corresponding condition of/);
  gated.status = {
    conditions: [{ type: "example.com/Gate", status: "False" }],
  };
  const shut = project({ ...parts, containers }, closed, NOW_MS);
  assert.equal(
    ready(shut)?.message,
    'the status of pod readiness gate "example.com/Gate" is not "True", but False',
  );
  gated.status = { conditions: [{ type: "example.com/Gate", status: "True" }] };
  const open = project({ ...parts, containers }, shut, NOW_MS);
  assert.equal(ready(open)?.status, "True");
  assert.equal(open.observedGeneration, 3);
  assert.equal(ready(open)?.observedGeneration, 3);
  const newer = { ...open, observedGeneration: 5 };
  const after = project({ ...parts, containers }, newer, NOW_MS);
  assert.equal(after.observedGeneration, 5);
});
