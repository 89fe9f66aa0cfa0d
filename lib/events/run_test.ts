import assert from "node:assert/strict";
import { AgentError } from "../base/errors.ts";
import type { Fields, Logger } from "../base/log.ts";
import { silentLogger } from "../base/log.ts";
import { podUid } from "../api/id.ts";
import type { Step } from "../api/step.ts";
import type { ApiObject, ClusterEvents } from "../port/cluster.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { nodeTarget, podTarget } from "./event.ts";
import { PodEvents } from "./pod_events.ts";
import { EventWriter } from "./run.ts";

const TARGET = nodeTarget("node-1");
const step = (message: string): Step => ({
  type: "Normal",
  reason: "Started",
  message,
});

/** Stored events by name; `mood` says how the server answers. */
class FakeEvents implements ClusterEvents {
  mood: "fine" | "down" | "refuses" = "fine";
  readonly stored = new Map<string, ApiObject>();

  create(event: ApiObject): Promise<ApiObject> {
    return this.#answer(() => {
      const name = nameOf(event["metadata"]);
      if (this.stored.has(name)) {
        throw new AgentError("Exists", { next: "already-so" });
      }
      this.stored.set(name, event);
      return event;
    });
  }

  patch(event: { readonly name: string }, patch: ApiObject) {
    return this.#answer(() => {
      const known = this.stored.get(event.name);
      if (known === undefined) {
        throw new AgentError("No such event", { next: "give-up" });
      }
      const next = { ...known, ...patch };
      this.stored.set(event.name, next);
      return next;
    });
  }

  get messages(): readonly unknown[] {
    return [...this.stored.values()].map(({ message, count }) =>
      `${message} x${count}`
    );
  }

  #answer(work: () => ApiObject): Promise<ApiObject> {
    return Promise.try(() => {
      if (this.mood === "down") {
        throw new AgentError("Refused", { next: "retry" });
      }
      if (this.mood === "refuses") {
        throw new AgentError("Invalid", { next: "give-up" });
      }
      return work();
    });
  }
}

function nameOf(metadata: unknown): string {
  return typeof metadata === "object" && metadata !== null &&
      "name" in metadata
    ? String(metadata.name)
    : "";
}

function start(rate = { perSecond: 0, burst: 1 }) {
  const clock = new FakeClock();
  const events = new FakeEvents();
  const lines: string[] = [];
  const warn = (message: string, fields: Fields = {}) => {
    lines.push(`${message} ${fields["count"] ?? fields["reason"]}`);
  };
  const log: Logger = { ...silentLogger, warn };
  const random = { fraction: () => 0.5, hex: () => "" };
  const writer = new EventWriter(
    { events, clock, random, log },
    { host: "node-1", rate },
  );
  const controller = new AbortController();
  const running = writer.run(controller.signal).catch((error) => {
    if (!controller.signal.aborted) throw error;
  });
  const end = async () => {
    controller.abort(new DOMException("End", "AbortError"));
    await running;
  };
  return { clock, events, lines, writer, end };
}

Deno.test("EventWriter stores events and raises counts", async () => {
  const { clock, events, writer, end } = start();
  writer.record(TARGET, step("a"));
  writer.record(TARGET, step("b"));
  writer.record(TARGET, step("a"));
  await clock.advance(0);
  assert.deepEqual(events.messages, ["a x2", "b x1"]);
  await end();
});

Deno.test("EventWriter gives events of one moment names of their own", async () => {
  const { clock, events, writer, end } = start();
  for (const each of ["a", "b", "c"]) writer.record(TARGET, step(each));
  await clock.advance(0);
  assert.equal(events.stored.size, 3);
  await end();
});

Deno.test("EventWriter stores an expired event anew", async () => {
  const { clock, events, writer, end } = start();
  writer.record(TARGET, step("a"));
  await clock.advance(0);
  events.stored.clear();
  writer.record(TARGET, step("a"));
  await clock.advance(0);
  assert.deepEqual(events.messages, ["a x2"]);
  await end();
});

Deno.test("EventWriter keeps the order over a short outage", async () => {
  const { clock, events, lines, writer, end } = start();
  events.mood = "down";
  writer.record(TARGET, step("a"));
  writer.record(TARGET, step("b"));
  await clock.advance(30_000);
  events.mood = "fine";
  await clock.advance(10_000);
  assert.deepEqual(events.messages, ["a x1", "b x1"]);
  assert.deepEqual(lines, []);
  await end();
});

Deno.test("EventWriter drops after twelve tries, with one line each", async () => {
  const { clock, events, lines, writer, end } = start();
  events.mood = "down";
  writer.record(TARGET, step("a"));
  await clock.advance(300_000);
  assert.deepEqual(lines, [
    "Dropped an event that could not be stored Started",
  ]);
  events.mood = "fine";
  writer.record(TARGET, step("b"));
  await clock.advance(0);
  assert.deepEqual(events.messages, ["b x1"]);
  await end();
});

Deno.test("EventWriter does not repeat what the server refuses", async () => {
  const { clock, events, lines, writer, end } = start();
  events.mood = "refuses";
  writer.record(TARGET, step("a"));
  await clock.advance(0);
  assert.equal(lines.length, 1);
  assert.equal(writer.queuedCount, 0);
  await end();
});

Deno.test("EventWriter takes a thousand and says how many it dropped", async () => {
  const { clock, events, lines, writer, end } = start();
  events.mood = "down";
  for (let at = 0; at < 1_200; at++) {
    writer.record(nodeTarget(`node-${at}`), step("a"));
  }
  assert.equal(writer.queuedCount, 1_000);
  events.mood = "fine";
  await clock.advance(10_000);
  assert.equal(events.stored.size, 1_000);
  assert.deepEqual(lines, ["Dropped events: too many were waiting 200"]);
  await end();
});

Deno.test("EventWriter keeps to the rate", async () => {
  const { clock, events, writer, end } = start({ perSecond: 2, burst: 3 });
  for (let at = 0; at < 8; at++) {
    writer.record(nodeTarget(`node-${at}`), step("a"));
  }
  await clock.advance(0);
  assert.equal(events.stored.size, 3);
  await clock.advance(1_000);
  assert.equal(events.stored.size, 5);
  await clock.advance(10_000);
  assert.equal(events.stored.size, 8);
  await end();
});

Deno.test("PodEvents tells both, with names for ids", () => {
  const uid = podUid("u1");
  const pod = {
    metadata: { name: "web", namespace: "default", uid: "u1" },
    spec: { containers: [{ name: "app" }] },
  };
  const inner: Step[] = [];
  const told: unknown[] = [];
  const events = new PodEvents({
    inner: { record: (_uid, each) => inner.push(each) },
    events: { record: (target, each) => told.push([target, each]) },
    nodeName: "node-1",
    podOf: (each) => each === uid ? pod : undefined,
    containerNames: () => new Map([["f00", "app"]]),
  });
  const said: Step = { ...step("f00 is up"), container: "app" };
  events.record(uid, said);
  events.record(podUid("stranger"), said);
  assert.equal(inner.length, 2);
  assert.deepEqual(told, [
    [podTarget(pod, "app"), { ...said, message: "app is up" }],
  ]);
  told.length = 0;
  events.record(uid, { ...step("of the pod"), ofNode: "of the node" });
  assert.deepEqual(told, [
    [podTarget(pod), step("of the pod")],
    [nodeTarget("node-1"), step("of the node")],
  ]);
});
