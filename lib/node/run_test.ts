import assert from "node:assert/strict";
import { cell } from "../base/cell.ts";
import { objectIn } from "../base/json.ts";
import { silentLogger } from "../base/log.ts";
import { FakeClock, settled } from "../../tests/fakes/fake_clock.ts";
import { FakeNodes } from "./fake_nodes_test.ts";
import {
  anImage,
  FakeEngine,
  FakeMachine,
  FakeRecorder,
  RUNTIME,
  SETTINGS,
} from "./fixture_test.ts";
import { createNode } from "./loops.ts";
import {
  NO_DEVICES,
  NO_PRESSURE,
  type NodeSettings,
  type Pressure,
} from "./types.ts";

const RANDOM = { fraction: () => 0.5, hex: () => "0" };

/** The whole node with all its loops; `end` stops them. */
function start(
  settings: Partial<NodeSettings> = {},
  nodes = new FakeNodes(),
  { engine = new FakeEngine(), machine = new FakeMachine() } = {},
) {
  const clock = new FakeClock();
  const recorder = new FakeRecorder();
  const [health, healthReader] = cell<number>(0);
  const [pressure, pressureReader] = cell<Pressure>(NO_PRESSURE);
  const [problems, problemsReader] = cell<readonly string[]>([]);
  const [shutdown, shutdownReader] = cell(false);
  const [, devices] = cell(NO_DEVICES);
  let reconnects = 0;
  const node = createNode({
    nodes,
    runtime: engine,
    images: engine,
    machine,
    clock,
    random: RANDOM,
    log: silentLogger,
    recorder,
    health: healthReader,
    pressure: pressureReader,
    problems: problemsReader,
    isShuttingDown: shutdownReader,
    devices,
    declaredFeatures: [],
    reconnect: () => reconnects++,
  }, { ...SETTINGS, ...settings });
  const controller = new AbortController();
  const running = node.loops.map(({ run }) =>
    run(controller.signal).catch((error) => {
      if (!controller.signal.aborted) throw error;
    })
  );
  const end = async () => {
    controller.abort(new DOMException("End", "AbortError"));
    await Promise.all(running);
  };
  const world = { clock, engine, machine, recorder, nodes, node, end };
  const cells = { health, pressure, problems, shutdown };
  return { ...world, ...cells, reconnects: () => reconnects };
}

const ready = (nodes: FakeNodes) =>
  nodes.status.conditions.find(({ type }) => type === "Ready");

Deno.test("a node registers, ready at once, with a lease that it owns", async () => {
  const world = start();
  const { clock, nodes, recorder } = world;
  await clock.advance(200);
  assert.equal(ready(nodes)?.status, "True");
  assert.deepEqual(nodes.patches, []);
  const owners = objectIn(nodes.lease ?? {}, "metadata")["ownerReferences"];
  assert.deepEqual(owners, [
    { apiVersion: "v1", kind: "Node", name: "node-1", uid: "node-uid" },
  ]);
  assert.deepEqual(recorder.reasons, [
    "Starting",
    "NodeHasSufficientMemory",
    "NodeHasNoDiskPressure",
    "NodeHasSufficientPID",
  ]);
  await world.end();
});

Deno.test("a node registers when the API server comes, backing off before", async () => {
  const nodes = new FakeNodes();
  nodes.mood = "down";
  const world = start({}, nodes);
  await world.clock.advance(60_000);
  assert.equal(nodes.node, undefined);
  nodes.mood = "fine";
  await world.clock.advance(7_000);
  assert.equal(ready(nodes)?.status, "True");
  await world.end();
});

Deno.test("a node that exists is put right in one patch", async () => {
  for (const mood of ["fine", "forbids-create"] as const) {
    const nodes = new FakeNodes();
    nodes.put({
      metadata: {
        uid: "old",
        labels: { "kubernetes.io/hostname": "x", a: "b" },
      },
      spec: { taints: [{ key: "kept" }], unschedulable: true },
      status: { nodeInfo: { bootID: "boot-0" } },
    });
    nodes.mood = mood;
    const world = start({}, nodes);
    await world.clock.advance(200);
    assert.equal(ready(nodes)?.status, "True");
    assert.equal(nodes.patches.length, 1);
    const metadata = objectIn(nodes.node ?? {}, "metadata");
    const labels = objectIn(metadata, "labels");
    assert.equal(labels["kubernetes.io/hostname"], "node-1");
    assert.equal(labels["a"], "b");
    assert.ok(!("spec" in (nodes.patches[0] ?? {})));
    assert.ok(world.recorder.reasons.includes("Rebooted"));
    assert.ok(world.recorder.reasons.includes("NodeNotSchedulable"));
    await world.end();
  }
});

Deno.test("a node without the right to register waits for its object", async () => {
  const nodes = new FakeNodes();
  const world = start({ mayRegister: false }, nodes);
  await world.clock.advance(20_000);
  assert.equal(nodes.node, undefined);
  nodes.put({ metadata: { uid: "by-hand" } });
  await world.clock.advance(100);
  assert.equal(ready(nodes)?.status, "True");
  assert.notEqual(nodes.lease, undefined);
  await world.end();
});

Deno.test("an unchanged status is sent each report period only", async () => {
  const world = start();
  const { clock, nodes } = world;
  await clock.advance(295_000);
  assert.deepEqual(nodes.patches, []);
  await clock.advance(20_000);
  assert.equal(nodes.patches.length, 1);
  assert.deepEqual(Object.keys(nodes.patches[0] ?? {}), ["status"]);
  await world.end();
});

Deno.test("a change is sent at once, and told once", async () => {
  const world = start();
  const { clock, nodes, recorder } = world;
  await clock.advance(1_000);
  world.pressure.set({ ...NO_PRESSURE, isDiskShort: true });
  await settled();
  await clock.advance(0);
  const [, disk] = nodes.status.conditions;
  assert.equal(disk?.reason, "KubeletHasDiskPressure");
  world.problems.set(["clock is off"]);
  await clock.advance(0);
  assert.match(ready(nodes)?.message ?? "", /WARNING: clock is off$/);
  world.shutdown.set(true);
  await clock.advance(0);
  assert.equal(
    ready(nodes)?.message,
    "node is shutting down. WARNING: clock is off",
  );
  await clock.advance(60_000);
  const told = recorder.reasons.filter((each) =>
    each === "NodeHasDiskPressure" || each === "NodeNotReady"
  );
  assert.deepEqual(told, ["NodeHasDiskPressure", "NodeNotReady"]);
  await world.end();
});

Deno.test("the runtime's own word counts at once, its silence after 30 s", async () => {
  const world = start();
  const { clock, nodes, engine, health } = world;
  await clock.advance(1_000);
  const network = { isMet: false, reason: "NoCni", message: "m" };
  engine.current = { ...RUNTIME, network };
  health.set(1);
  await clock.advance(100);
  assert.match(ready(nodes)?.message ?? "", /network not ready:.*NoCni/);
  engine.current = RUNTIME;
  health.set(2);
  await clock.advance(100);
  assert.equal(ready(nodes)?.status, "True");
  engine.mood = "gone";
  health.set(3);
  await clock.advance(25_000);
  assert.equal(ready(nodes)?.status, "True");
  await clock.advance(20_000);
  assert.equal(ready(nodes)?.message, "container runtime is down");
  engine.mood = "fine";
  health.set(4);
  await clock.advance(100);
  assert.equal(ready(nodes)?.status, "True");
  await world.end();
});

Deno.test("a hung runtime stops neither registration nor lease", async () => {
  const nodes = new FakeNodes();
  const engine = new FakeEngine();
  engine.mood = "hung";
  const world = start({}, nodes, { engine });
  await world.clock.advance(3_000);
  assert.equal(ready(nodes)?.status, "False");
  const renewed = () => objectIn(nodes.lease ?? {}, "spec")["renewTime"];
  const first = renewed();
  await world.clock.advance(60_000);
  assert.notEqual(renewed(), first);
  assert.equal(ready(nodes)?.message, "container runtime is down");
  await world.end();
});

Deno.test("a hung API server is given up and tried again", async () => {
  const world = start();
  const { clock, nodes } = world;
  await clock.advance(1_000);
  nodes.mood = "hung";
  world.pressure.set({ ...NO_PRESSURE, isPidShort: true });
  await clock.advance(180_000);
  assert.ok(world.reconnects() > 0);
  nodes.mood = "fine";
  await clock.advance(15_000);
  assert.equal(nodes.status.conditions[2]?.status, "True");
  await world.end();
});

Deno.test("after an outage the change is reported within 5 s, in its own time", async () => {
  const world = start();
  const { clock, nodes, recorder } = world;
  await clock.advance(1_000);
  nodes.mood = "down";
  world.shutdown.set(true);
  await clock.advance(180_000);
  nodes.mood = "fine";
  await clock.advance(5_000);
  assert.equal(ready(nodes)?.status, "False");
  assert.equal(ready(nodes)?.lastTransitionTime, "2026-01-02T03:04:06Z");
  const told = recorder.reasons.filter((each) => each === "NodeNotReady");
  assert.equal(told.length, 1);
  await world.end();
});

Deno.test("a node that was deleted is not made again, and may come back", async () => {
  const world = start();
  const { clock, nodes } = world;
  await clock.advance(1_000);
  nodes.remove();
  await clock.advance(60_000);
  assert.equal(nodes.node, undefined);
  assert.equal(world.node.node.get(), undefined);
  nodes.put({ metadata: { uid: "again" } });
  await clock.advance(100);
  assert.equal(ready(nodes)?.status, "True");
  await world.end();
});

Deno.test("cordon and images are seen", async () => {
  const world = start();
  const { clock, nodes, engine, recorder } = world;
  await clock.advance(1_000);
  nodes.put({ ...nodes.node, spec: { unschedulable: true } });
  await clock.advance(100);
  assert.equal(recorder.reasons.at(-1), "NodeNotSchedulable");
  nodes.put({ ...nodes.node, spec: {} });
  await clock.advance(100);
  assert.equal(recorder.reasons.at(-1), "NodeSchedulable");
  engine.images = [anImage()];
  world.node.wake();
  await clock.advance(100);
  assert.deepEqual(nodes.status.status["images"], [
    { names: ["a@sha256:1", "a:1"], sizeBytes: 1 },
  ]);
  await world.end();
});

Deno.test("what an old API server does not take over is said once", async () => {
  const nodes = new FakeNodes();
  const put = nodes.put.bind(nodes);
  nodes.put = (node) => {
    const { features: _features, ...status } = objectIn(node, "status");
    return put({ ...node, status });
  };
  const world = start({}, nodes);
  await world.clock.advance(120_000);
  assert.equal(nodes.patches.length, 1);
  await world.end();
});

Deno.test("the resolver is asked for the node's name when it matters", async () => {
  const nodes = new FakeNodes();
  const machine = new FakeMachine();
  machine.resolved.set("node-1", ["2001:db8::10"]);
  const world = start({}, nodes, { machine });
  await world.clock.advance(200);
  assert.equal(nodes.status.addresses[0]?.address, "2001:db8::10");
  await world.end();
});
