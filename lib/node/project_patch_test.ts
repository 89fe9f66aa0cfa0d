import assert from "node:assert/strict";
import { isObject, objectIn } from "../base/json.ts";
import { merged } from "./fake_nodes_test.ts";
import {
  anImage,
  facts,
  known,
  NOW_MS,
  SEEN,
  SETTINGS,
} from "./fixture_test.ts";
import { newNode, project } from "./project.ts";
import { nodePatch } from "./project_patch.ts";
import { NO_PRESSURE, type NodeFacts } from "./types.ts";

const UPDATE = { occasion: "update", pending: [] } as const;
const LATER = { nowMs: NOW_MS + 10_000, monotonicMs: 10_000 };
const HEARTBEATS = [
  "MemoryPressure",
  "DiskPressure",
  "PIDPressure",
  "Ready",
].map((type) => ({ type, lastHeartbeatTime: "2026-01-02T03:04:15Z" }));

/** As the API server would send it back. */
const stored = (change: Partial<NodeFacts> = {}) =>
  JSON.parse(JSON.stringify(newNode(facts(change))));

function patchOf(change: Partial<NodeFacts>, object = stored()) {
  const node = known(object);
  const wanted = project(facts({ ...LATER, ...change }), node, UPDATE);
  return nodePatch(node, wanted);
}

Deno.test("nodePatch() of an unchanged node is its heartbeats, and no change", () => {
  assert.deepEqual(patchOf({}), {
    body: { status: { conditions: HEARTBEATS } },
    change: "",
  });
});

Deno.test("nodePatch() at the same second is empty", () => {
  assert.deepEqual(patchOf({ nowMs: NOW_MS }).body, { status: {} });
});

Deno.test("nodePatch() says what changed and nothing else", () => {
  const pressure = { ...NO_PRESSURE, isMemoryShort: true };
  const { body, change } = patchOf({ pressure });
  assert.notEqual(change, "");
  assert.deepEqual(body, {
    status: {
      conditions: [
        {
          ...HEARTBEATS[0],
          lastTransitionTime: "2026-01-02T03:04:15Z",
          message: "kubelet has insufficient memory available",
          reason: "KubeletHasInsufficientMemory",
          status: "True",
        },
        ...HEARTBEATS.slice(1),
      ],
    },
  });
});

Deno.test("nodePatch() replaces addresses as a whole", () => {
  const settings = { ...SETTINGS, nodeIps: ["192.0.2.10", "2001:db8::10"] };
  const status = objectIn(patchOf({ settings }).body, "status");
  assert.deepEqual(status["addresses"], [
    { type: "InternalIP", address: "192.0.2.10" },
    { type: "InternalIP", address: "2001:db8::10" },
    { type: "Hostname", address: "node-1" },
    { $patch: "replace" },
  ]);
});

Deno.test("nodePatch() compares amounts, and takes old ones away", () => {
  const object = stored();
  object.status.capacity.memory = "8192Mi";
  object.status.capacity["hugepages-1Gi"] = "0";
  object.status.allocatable["hugepages-1Gi"] = "0";
  const status = objectIn(patchOf({}, object).body, "status");
  assert.deepEqual(status["capacity"], { "hugepages-1Gi": null });
  assert.deepEqual(status["allocatable"], { "hugepages-1Gi": null });
});

Deno.test("nodePatch() sends lists whole and takes empty ones away", () => {
  const object = stored({ seen: { ...SEEN, images: [anImage()] } });
  object.status.declaredFeatures = ["Something"];
  const status = objectIn(patchOf({}, object).body, "status");
  assert.equal(status["images"], null);
  assert.equal(status["declaredFeatures"], null);
  assert.equal(status["runtimeHandlers"], undefined);
});

Deno.test("nodePatch() takes no list, null and an empty one for the same", () => {
  const images = [anImage({ tags: [], digests: [], sizeBytes: 0n })];
  const object = stored({ seen: { ...SEEN, images } });
  object.status.images = [{ names: null }];
  assert.equal(patchOf({ seen: { ...SEEN, images } }, object).change, "");
});

Deno.test("nodePatch() leaves the fields of others alone", () => {
  const object = stored();
  object.status.volumesAttached = [{ name: "v" }];
  object.status.volumesInUse = ["v"];
  object.status.phase = "Running";
  object.status.conditions.unshift({
    type: "NetworkUnavailable",
    status: "False",
  });
  assert.deepEqual(patchOf({}, object).body, {
    status: { conditions: HEARTBEATS },
  });
});

Deno.test("nodePatch() orders conditions when it adds some", () => {
  const object = stored();
  object.status.conditions = [{ type: "Foreign", status: "True" }];
  const { body, change } = patchOf({}, object);
  assert.notEqual(change, "");
  assert.deepEqual(objectIn(body, "status")["$setElementOrder/conditions"], [
    { type: "Foreign" },
    { type: "MemoryPressure" },
    { type: "DiskPressure" },
    { type: "PIDPressure" },
    { type: "Ready" },
  ]);
});

Deno.test("nodePatch() changes nested fields one by one", () => {
  const machine = SEEN.machine && {
    ...SEEN.machine,
    bootId: "boot-2",
    swapBytes: 4096n,
  };
  const { body } = patchOf({ seen: { ...SEEN, machine } });
  assert.deepEqual(objectIn(body, "status")["nodeInfo"], {
    bootID: "boot-2",
    swap: { capacity: 4096 },
  });
});

Deno.test("nodePatch() applied leaves nothing to say", () => {
  const changes: Partial<NodeFacts>[] = [
    { pressure: { ...NO_PRESSURE, isPidShort: true } },
    { settings: { ...SETTINGS, nodeIps: ["::"], port: 1, maxPods: 7 } },
    { seen: { ...SEEN, images: [anImage()], resolved: ["2001:db8::10"] } },
    { problems: ["a"], isShuttingDown: true, declaredFeatures: ["A"] },
  ];
  for (const change of changes) {
    const before = stored();
    const next = merged(before, patchOf(change, before).body);
    const again = patchOf(change, next);
    assert.deepEqual(again, { body: { status: {} }, change: "" });
  }
});

Deno.test("nodePatch() takes nonsense of a server as nothing known", () => {
  const node = known({ status: "x", metadata: [1], spec: null });
  const { body } = nodePatch(node, project(facts(), node, UPDATE));
  assert.ok(isObject(body["status"]));
});
