import assert from "node:assert/strict";
import { createMeters } from "../api/meters.ts";
import { createMetrics } from "../base/metrics.ts";
import { FakeFiles } from "../../tests/fakes/fake_host.ts";
import { silentLogger } from "../base/log.ts";
import { Semaphore } from "../base/semaphore.ts";
import { containerId, podUid } from "../api/id.ts";
import type { Action } from "../pod/action.ts";
import { startHandlers, type StartPorts } from "./start.ts";

const UID = podUid("a");
const START: Extract<Action, { kind: "start-created-container" }> = {
  kind: "start-created-container",
  id: containerId("c1"),
  name: "app",
  log: { directory: "/logs", file: "/logs/0.log", linkPrefix: "/links/app" },
};

/** A runtime in whose calls `during` happens. */
function aWorld(during: () => void) {
  const order = new AbortController();
  const life = new AbortController();
  const told: string[] = [];
  const unused = () => Promise.reject(new Error("Nobody asked for it"));
  const ports: StartPorts = {
    runtime: {
      createContainer: unused,
      startContainer: (_id, signal) => {
        during();
        signal.throwIfAborted();
        return Promise.resolve();
      },
    },
    files: new FakeFiles(),
    allocations: {
      isRemade: () => false,
      noteContainer: () => {},
      settled: unused,
    },
    images: { consume: () => {} },
    references: { consume: () => {} },
    stops: { order: () => {}, settled: unused },
    mounts: { makeInside: unused, bindInside: unused },
    runHook: unused,
    recorder: { record: (_uid, { reason }) => told.push(reason) },
    meters: createMeters(createMetrics()),
    log: silentLogger,
  };
  const made = { sandboxes: [], containers: [] };
  const at = { uid: UID, signal: order.signal, life: life.signal, made };
  const handlers = startHandlers(ports, new Semaphore(1));
  return {
    order,
    life,
    told,
    start: () => handlers["start-created-container"](START, at),
  };
}

Deno.test("a start that is under way is not broken off by a new order", async () => {
  const world = aWorld(() => world.order.abort());
  await world.start();
  assert.deepEqual(world.told, ["Started"]);
});

Deno.test("a start is not begun after a new order", async () => {
  const world = aWorld(() => assert.fail("It is started"));
  world.order.abort();
  await assert.rejects(world.start(), { name: "AbortError" });
  assert.deepEqual(world.told, []);
});

Deno.test("a start ends with the agent", async () => {
  const world = aWorld(() => world.life.abort());
  await assert.rejects(world.start());
  assert.deepEqual(world.told, []);
});
