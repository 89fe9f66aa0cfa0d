import assert from "node:assert/strict";
import { cell } from "../base/cell.ts";
import { objectIn } from "../base/json.ts";
import { silentLogger } from "../base/log.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { FakeNodes } from "./fake_nodes_test.ts";
import { known, NOW_MS, SETTINGS } from "./fixture_test.ts";
import { LeaseLoop, nextLease, renewAfterMs } from "./lease.ts";
import type { KnownNode } from "./types.ts";

const FACTS = {
  nodeName: "node-1",
  nodeUid: "uid",
  durationSeconds: 40,
  nowMs: NOW_MS,
};
const OWNERS = [
  { apiVersion: "v1", kind: "Node", name: "node-1", uid: "uid" },
];

Deno.test("nextLease() makes a lease of the node's own", () => {
  assert.deepEqual(nextLease(undefined, FACTS), {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: {
      name: "node-1",
      namespace: "kube-node-lease",
      ownerReferences: OWNERS,
    },
    spec: {
      holderIdentity: "node-1",
      leaseDurationSeconds: 40,
      renewTime: "2026-01-02T03:04:05.000000Z",
    },
  });
});

Deno.test("nextLease() renews and keeps what is there", () => {
  const base = {
    metadata: { name: "node-1", resourceVersion: "7", labels: { a: "b" } },
    spec: { holderIdentity: "node-1", leaseDurationSeconds: 9, renewTime: "x" },
  };
  const next = nextLease(base, FACTS);
  assert.deepEqual(next["metadata"], {
    ...base.metadata,
    namespace: "kube-node-lease",
    ownerReferences: OWNERS,
  });
  assert.equal(objectIn(next, "spec")["leaseDurationSeconds"], 40);
  const owned = { metadata: { ownerReferences: [{ uid: "other" }] } };
  assert.deepEqual(
    objectIn(nextLease(owned, FACTS), "metadata")["ownerReferences"],
    [{ uid: "other" }],
  );
});

Deno.test("renewAfterMs() is a quarter of the duration and a little more", () => {
  assert.equal(renewAfterMs(40, 0), 10_000);
  assert.equal(renewAfterMs(40, 0.5), 10_200);
});

function start(nodes: FakeNodes, node?: KnownNode) {
  const clock = new FakeClock();
  const [writer, reader] = cell<KnownNode | undefined>(node);
  const loop = new LeaseLoop({
    nodes,
    clock,
    random: { fraction: () => 0, hex: () => "" },
    log: silentLogger,
    node: reader,
    reconnect: () => {},
  }, SETTINGS);
  const controller = new AbortController();
  const running = loop.run(controller.signal).catch((error) => {
    if (!controller.signal.aborted) throw error;
  });
  const end = async () => {
    controller.abort(new DOMException("End", "AbortError"));
    await running;
  };
  return { clock, writer, end };
}

const NODE = known({ metadata: { uid: "uid" } });
const renewTime = (nodes: FakeNodes) =>
  objectIn(nodes.lease ?? {}, "spec")["renewTime"];

Deno.test("LeaseLoop waits for the node, then keeps the lease fresh", async () => {
  const nodes = new FakeNodes();
  const { clock, writer, end } = start(nodes);
  await clock.advance(60_000);
  assert.equal(nodes.lease, undefined);
  writer.set(NODE);
  await clock.advance(0);
  assert.equal(renewTime(nodes), "2026-01-02T03:05:05.000000Z");
  await clock.advance(30_000);
  assert.equal(renewTime(nodes), "2026-01-02T03:05:35.000000Z");
  await end();
});

Deno.test("LeaseLoop reads again after a conflict, and makes a lost one", async () => {
  const nodes = new FakeNodes();
  const { clock, end } = start(nodes, NODE);
  await clock.advance(5_000);
  nodes.touchLease();
  await clock.advance(6_000);
  assert.equal(renewTime(nodes), "2026-01-02T03:04:15.200000Z");
  nodes.lease = undefined;
  await clock.advance(12_000);
  assert.notEqual(nodes.lease, undefined);
  await end();
});

Deno.test("LeaseLoop survives an API server that is away or hung", async () => {
  const nodes = new FakeNodes();
  const { clock, end } = start(nodes, NODE);
  for (const mood of ["down", "hung"] as const) {
    await clock.advance(1_000);
    nodes.mood = mood;
    await clock.advance(180_000);
    nodes.mood = "fine";
    const before = renewTime(nodes);
    await clock.advance(17_000);
    assert.notEqual(renewTime(nodes), before, mood);
  }
  await end();
});
