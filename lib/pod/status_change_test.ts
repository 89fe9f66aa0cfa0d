import assert from "node:assert/strict";
import type { PodStatusJson } from "../api/status.ts";
import { aPod } from "../../tests/build.ts";
import { unseenStatus } from "./status.ts";
import { statusChange, unchanged, withTimesOf } from "./status_change.ts";

const THEN = "2026-01-02T03:04:05Z";
const LATER = "2026-01-02T03:05:05Z";

const PROJECTED: PodStatusJson = {
  observedGeneration: 1,
  phase: "Running",
  conditions: [
    { type: "Ready", status: "True", lastTransitionTime: THEN },
    {
      type: "Initialized",
      status: "True",
      lastTransitionTime: THEN,
      reason: "PodCompleted",
    },
  ],
  podIP: "10.0.0.5",
  podIPs: [{ ip: "10.0.0.5" }],
  startTime: THEN,
  qosClass: "BestEffort",
  containerStatuses: [{
    name: "web",
    state: { running: { startedAt: THEN } },
    lastState: { terminated: { exitCode: 137, reason: "Lost" } },
    ready: true,
    started: true,
    restartCount: 0,
    image: "busybox:1",
    imageID: "sha256:aaaa",
    resources: {},
  }],
  resources: {},
};

/** As the API server gives it back: nulls, and words of others. */
const STORED = {
  ...PROJECTED,
  conditions: [
    { type: "example.com/Gate", status: "False" },
    ...PROJECTED.conditions.map((each) => ({ ...each, lastProbeTime: null })),
  ],
  containerStatuses: PROJECTED.containerStatuses.map((status) => ({
    ...status,
    lastState: {
      terminated: {
        ...status.lastState.terminated,
        startedAt: null,
        finishedAt: null,
      },
    },
  })),
  initContainerStatuses: [],
  nominatedNodeName: "other",
  resize: "",
};

Deno.test("statusChange() has nothing to say of what the server holds", () => {
  assert.equal(statusChange(STORED, PROJECTED), undefined);
  assert.ok(unchanged(STORED, PROJECTED));
  assert.ok(!unchanged(undefined, PROJECTED));
});

Deno.test("statusChange() says everything to a server that has nothing", () => {
  const { conditions, ...fields } = PROJECTED;
  assert.deepEqual(statusChange({ phase: "Pending" }, PROJECTED), {
    ...Object.fromEntries(
      Object.entries(fields).filter(([key]) => key !== "resources"),
    ),
    conditions,
  });
});

Deno.test("statusChange() names a condition only when it differs", () => {
  const conditions = [
    { type: "Ready", status: "False", lastTransitionTime: LATER } as const,
    ...PROJECTED.conditions.slice(1),
  ];
  assert.deepEqual(statusChange(STORED, { ...PROJECTED, conditions }), {
    conditions: [
      { type: "Ready", status: "False", lastTransitionTime: LATER },
    ],
  });
});

Deno.test("statusChange() sends null for what there is no more", () => {
  const held = { reason: "Evicted", message: "too much", hostIP: "10.0.0.1" };
  const stored = {
    ...STORED,
    ...held,
    conditions: PROJECTED.conditions.map((each) => ({
      ...each,
      observedGeneration: 1,
      message: "was",
    })),
  };
  assert.deepEqual(statusChange(stored, PROJECTED), {
    reason: null,
    message: null,
    hostIP: null,
    conditions: [
      {
        type: "Ready",
        status: "True",
        lastTransitionTime: THEN,
        observedGeneration: null,
        message: null,
      },
      {
        type: "Initialized",
        status: "True",
        lastTransitionTime: THEN,
        reason: "PodCompleted",
        observedGeneration: null,
        message: null,
      },
    ],
  });
});

Deno.test("statusChange() names each amount that is gone from a map", () => {
  const stored = {
    ...STORED,
    allocatedResources: { cpu: "1", memory: "1Gi" },
    resources: { requests: { cpu: "1", memory: "1Gi" }, limits: { cpu: "2" } },
  };
  const projected = {
    ...PROJECTED,
    allocatedResources: { memory: "2Gi" },
    resources: { requests: { memory: "2Gi" } },
  };
  assert.deepEqual(statusChange(stored, projected), {
    allocatedResources: { cpu: null, memory: "2Gi" },
    resources: { requests: { cpu: null, memory: "2Gi" }, limits: null },
  });
});

Deno.test("statusChange() takes away conditions of ours, and no others", () => {
  const refused: PodStatusJson = {
    ...PROJECTED,
    conditions: [],
    containerStatuses: [],
  };
  assert.deepEqual(statusChange(STORED, refused), {
    containerStatuses: [],
    conditionsGone: ["Initialized", "Ready"],
  });
});

Deno.test("statusChange() tells a restart from a first start", () => {
  const [status] = PROJECTED.containerStatuses;
  assert.ok(status !== undefined);
  const containerStatuses = [{ ...status, restartCount: 1 }];
  assert.deepEqual(statusChange(STORED, { ...PROJECTED, containerStatuses }), {
    containerStatuses,
  });
});

Deno.test("withTimesOf() keeps the server's times of what is the same", () => {
  const own = { ...unseenStatus(aPod()), startTime: "2026-01-01T00:00:09Z" };
  const at = (lastTransitionTime: string, status: "True" | "False") => ({
    ...{ type: "Ready", lastTransitionTime },
    status,
  });
  const stored = {
    ...own,
    startTime: "2026-01-01T00:00:01Z",
    conditions: [at("2026-01-01T00:00:02Z", "True")],
  };
  const same = { ...own, conditions: [at("2026-01-01T00:00:09Z", "True")] };
  assert.equal(statusChange(stored, withTimesOf(stored, same)), undefined);
  const flipped = { ...own, conditions: [at("2026-01-01T00:00:09Z", "False")] };
  const change = statusChange(stored, withTimesOf(stored, flipped));
  assert.equal(
    change?.conditions?.[0]?.lastTransitionTime,
    "2026-01-01T00:00:09Z",
  );
  assert.deepEqual(withTimesOf(undefined, own), own);
});
