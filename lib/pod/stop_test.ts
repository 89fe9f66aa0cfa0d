import assert from "node:assert/strict";
import { anInstance, aPod, NOW_MS, someFacts } from "../../tests/build.ts";
import { shorter, stopContainers, stopOrder } from "./stop.ts";

const order = (graceSeconds: number) =>
  ({ kind: "removed", graceSeconds, message: "" }) as const;

Deno.test("stopOrder() comes only from what every source agrees on", () => {
  assert.equal(stopOrder(someFacts()), undefined);
  assert.equal(
    stopOrder(someFacts({ pod: undefined, areSourcesReady: false })),
    undefined,
  );
  assert.equal(stopOrder(someFacts({ pod: undefined }))?.kind, "removed");
});

Deno.test("stopOrder() keeps a standing order, and only shortens it", () => {
  const state = {
    kind: "stopping",
    order: order(5),
    killAtMs: NOW_MS,
  } as const;
  assert.equal(stopOrder(someFacts({ state }))?.graceSeconds, 5);
  for (const [written, expected] of [[60, 5], [3, 3]] as const) {
    const pod = aPod({ spec: { terminationGracePeriodSeconds: written } });
    const facts = someFacts({
      pod: undefined,
      state,
      containers: [anInstance({ pod })],
    });
    assert.equal(stopOrder(facts)?.graceSeconds, expected);
  }
});

Deno.test("stopOrder() prefers the grace of a deletion to the pod's own", () => {
  const pod = aPod({ spec: { terminationGracePeriodSeconds: 60 } });
  const deleted = {
    ...pod,
    metadata: { ...pod.metadata, deletionGracePeriodSeconds: 4 },
  };
  const facts = someFacts({
    pod: undefined,
    containers: [anInstance({ pod: deleted })],
  });
  assert.equal(stopOrder(facts)?.graceSeconds, 4);
});

Deno.test("S47 stopOrder() knows no grace that is longer than time", () => {
  // As it arrives: no number holds it.
  const huge = JSON.parse('"9223372036854775807"');
  const pod = aPod({ spec: { terminationGracePeriodSeconds: huge } });
  const deleted = {
    ...pod,
    metadata: {
      ...pod.metadata,
      deletionTimestamp: new Date(NOW_MS),
      deletionGracePeriodSeconds: huge,
    },
  };
  const containers = [anInstance({ pod })];
  for (
    const facts of [
      someFacts({ pod: deleted }),
      someFacts({ pod: undefined, containers }),
      someFacts({ pod, hasEnded: true }),
    ]
  ) {
    assert.equal(stopOrder(facts)?.graceSeconds, 2 ** 31 - 1);
  }
});

Deno.test("shorter() is the shorter of two orders, the first when equal", () => {
  assert.equal(shorter(order(1), order(2)).graceSeconds, 1);
  assert.equal(shorter(order(2), order(1)).graceSeconds, 1);
  const first = order(3);
  assert.equal(shorter(first, order(3)), first);
});

Deno.test("stopContainers() stops all in one action", () => {
  assert.deepEqual(stopContainers([], 9), []);
  const actions = stopContainers(
    [anInstance(), anInstance({ id: "c1", name: "log" })],
    0,
  );
  assert.equal(actions.length, 1);
  const [action] = actions;
  assert.ok(action?.kind === "stop-containers");
  assert.deepEqual(
    action.containers.map(({ name, graceSeconds }) => [name, graceSeconds]),
    [["web", 0], ["log", 0]],
  );
});

const EVICTED = {
  signal: "memory.available",
  graceSeconds: 1,
  message: "The node was low on resource: memory. ",
  isNodeShort: true,
};

Deno.test("stopOrder() ends an evicted pod as failed", () => {
  const words = { reason: "Evicted", message: EVICTED.message };
  const found = stopOrder(someFacts({ evicted: EVICTED }));
  assert.equal(found?.graceSeconds, 1);
  assert.deepEqual(found?.failed, words);
  assert.deepEqual(found?.disruption, words);
  // A pod's own limit is no disruption.
  const evicted = { ...EVICTED, isNodeShort: false };
  const own = stopOrder(someFacts({ evicted }));
  assert.equal(own?.disruption, undefined);
  assert.deepEqual(own?.failed, words);
});

Deno.test("stopOrder() shortens a deletion by an eviction, not the end", () => {
  const deleted = (seconds: number) => ({
    ...aPod(),
    metadata: {
      ...aPod().metadata,
      deletionTimestamp: new Date(0),
      deletionGracePeriodSeconds: seconds,
    },
  });
  const of = (seconds: number) =>
    stopOrder(someFacts({ pod: deleted(seconds), evicted: EVICTED }));
  assert.equal(of(30)?.kind, "evicted");
  assert.equal(of(0)?.kind, "deleted");
  const ended = stopOrder(someFacts({ evicted: EVICTED, hasEnded: true }));
  assert.equal(ended?.kind, "finished");
});

Deno.test("stopOrder() ends a preempted pod as failed, with its own grace", () => {
  const order = { graceSeconds: 30, untilMs: 0 };
  const facts = someFacts({});
  const preemptions = new Map([[facts.uid, order]]);
  const found = stopOrder({ ...facts, preemptions });
  assert.equal(found?.kind, "preempted");
  assert.equal(found.graceSeconds, 30);
  assert.deepEqual(found.failed, {
    reason: "Preempting",
    message: "Preempted in order to admit critical pod",
  });
  assert.equal(
    found.disruption?.message,
    "Pod was preempted by Kubelet to accommodate a critical pod.",
  );
  const both = stopOrder({ ...facts, preemptions, evicted: EVICTED });
  assert.equal(both?.kind, "evicted");
  const ended = stopOrder({ ...facts, preemptions, hasEnded: true });
  assert.equal(ended?.kind, "finished");
});

Deno.test("stopOrder() ends a pod with the machine, as failed", () => {
  const shutdown = { graceSeconds: 7 };
  const found = stopOrder(someFacts({ shutdown }));
  const failed = {
    reason: "Terminated",
    message: "Pod was terminated in response to imminent node shutdown.",
  };
  assert.equal(found?.graceSeconds, 7);
  assert.deepEqual(found.failed, failed);
  assert.deepEqual(found.disruption, failed);
  // The shortest of all counts, and nothing is done to what has ended.
  const evicted = { ...EVICTED, graceSeconds: 3 };
  assert.equal(stopOrder(someFacts({ shutdown, evicted }))?.kind, "evicted");
  const late = { ...EVICTED, graceSeconds: 30 };
  assert.equal(
    stopOrder(someFacts({ shutdown, evicted: late }))?.kind,
    "shutdown",
  );
  const ended = stopOrder(someFacts({ shutdown, hasEnded: true }));
  assert.equal(ended?.kind, "finished");
});
