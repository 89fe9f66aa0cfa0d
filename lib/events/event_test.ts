import assert from "node:assert/strict";
import type { V1Pod } from "../api/types.ts";
import {
  containerPath,
  countPatch,
  eventName,
  makeEvent,
  namedNotIds,
  nodeTarget,
  podTarget,
} from "./event.ts";

const POD: V1Pod = {
  metadata: { name: "web", namespace: "shop", uid: "u1", resourceVersion: "7" },
  spec: {
    containers: [{ name: "app" }],
    initContainers: [{ name: "init" }],
    ephemeralContainers: [{ name: "debug" }],
  },
};
const STEP = { type: "Normal", reason: "Started", message: "m" } as const;
const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

Deno.test("makeEvent() writes an event as the kubelet does", () => {
  const target = podTarget(POD, "app");
  const facts = { target, step: STEP, nowMs: NOW_MS, nanos: 0xabcn };
  assert.deepEqual(makeEvent(facts, "node-1"), {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: "web.abc", namespace: "shop" },
    involvedObject: {
      apiVersion: "v1",
      kind: "Pod",
      name: "web",
      namespace: "shop",
      uid: "u1",
      resourceVersion: "7",
      fieldPath: "spec.containers{app}",
    },
    type: "Normal",
    reason: "Started",
    message: "m",
    source: { component: "kubelet", host: "node-1" },
    reportingComponent: "kubelet",
    reportingInstance: "node-1",
    firstTimestamp: "2026-01-02T03:04:05Z",
    lastTimestamp: "2026-01-02T03:04:05Z",
    count: 1,
  });
});

Deno.test("makeEvent() keeps node events in default, without uid", () => {
  const target = nodeTarget("node-1");
  const annotations = { a: "b" };
  const facts = { target, step: STEP, annotations, nowMs: NOW_MS, nanos: 1n };
  const { metadata, involvedObject } = makeEvent(facts, "node-1");
  assert.deepEqual(metadata, {
    name: "node-1.1",
    namespace: "default",
    annotations,
  });
  assert.deepEqual(involvedObject, {
    apiVersion: "v1",
    kind: "Node",
    name: "node-1",
  });
});

Deno.test("podTarget() of a whole pod has no field path", () => {
  assert.equal(podTarget(POD).fieldPath, undefined);
});

Deno.test("containerPath() names the list of the container", () => {
  const cases = [
    ["app", "spec.containers{app}"],
    ["init", "spec.initContainers{init}"],
    ["debug", "spec.ephemeralContainers{debug}"],
    ["pause", "implicitly required container pause"],
  ] as const;
  for (const [name, path] of cases) {
    assert.equal(containerPath(POD, name), path);
  }
});

Deno.test("eventName() never gets too long", () => {
  assert.equal(eventName("web", 255n), "web.ff");
  const long = eventName(`${"a".repeat(249)}-${"b".repeat(9)}`, 0xabcdn);
  assert.ok(long.length <= 253);
  assert.match(long, /^a+\.abcd$|^a+-?b*\.abcd$/);
  assert.match(long, /[a-z0-9]\.abcd$/);
});

Deno.test("namedNotIds() speaks of names", () => {
  const names = new Map([["f00", "app"], ["", "never"]]);
  assert.equal(namedNotIds("kill f00: f00 gone", names), "kill app: app gone");
});

Deno.test("countPatch() is small", () => {
  const facts = {
    target: podTarget(POD),
    step: STEP,
    nowMs: NOW_MS,
    nanos: 1n,
  };
  const event = { ...makeEvent(facts, "node-1"), count: 3 };
  assert.deepEqual(countPatch(event), {
    count: 3,
    lastTimestamp: "2026-01-02T03:04:05Z",
    message: "m",
  });
});
