import assert from "node:assert/strict";
import { Correlator } from "./correlate.ts";
import { makeEvent } from "./event.ts";

const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);
const MINUTE_MS = 60_000;

/** A correlator with a clock and a short way to say something. */
function world() {
  const correlator = new Correlator();
  let nanos = 0n;
  const say = (
    message: string,
    { at = 0, pod = "web", reason = "Unhealthy", container = "app" } = {},
  ) => {
    const nowMs = NOW_MS + at;
    nanos++;
    const target = {
      apiVersion: "v1",
      kind: "Pod",
      name: pod,
      namespace: "default",
      uid: pod,
      fieldPath: `spec.containers{${container}}`,
    };
    const step = { type: "Warning", reason, message } as const;
    const event = makeEvent({ target, step, nowMs, nanos }, "node-1");
    return correlator.correlate(event, nowMs, nanos);
  };
  return say;
}

const brief = (result: ReturnType<Correlator["correlate"]>) =>
  result.kind === "skip"
    ? "skip"
    : `${result.kind} ${result.event.count} ${result.event.message}`;

Deno.test("Correlator counts what is the same", () => {
  const say = world();
  assert.equal(brief(say("a")), "create 1 a");
  const again = say("a", { at: 5_000 });
  assert.equal(brief(again), "count 2 a");
  assert.ok(again.kind === "count");
  assert.equal(again.event.metadata.name, "web.1");
  assert.equal(again.event.firstTimestamp, "2026-01-02T03:04:05Z");
  assert.equal(again.event.lastTimestamp, "2026-01-02T03:04:10Z");
});

Deno.test("Correlator tells apart objects, reasons, containers, messages", () => {
  const say = world();
  say("a");
  const others = [
    say("a", { pod: "api" }),
    say("a", { reason: "BackOff" }),
    say("a", { container: "side" }),
    say("b"),
  ];
  assert.deepEqual(others.map(({ kind }) => kind), [
    "create",
    "create",
    "create",
    "create",
  ]);
});

Deno.test("Correlator combines the tenth similar event in ten minutes", () => {
  const say = world();
  for (let at = 1; at <= 9; at++) {
    assert.equal(brief(say(`m${at}`)), `create 1 m${at}`);
  }
  const combined = say("m10");
  assert.equal(
    brief(combined),
    "create 1 (combined from similar events): m10",
  );
  assert.equal(
    brief(say("m11")),
    "count 2 (combined from similar events): m11",
  );
  // A message of before is the event of before.
  assert.equal(brief(say("m9")), "count 2 m9");
});

Deno.test("Correlator forgets what is similar after ten quiet minutes", () => {
  const say = world();
  for (let at = 1; at <= 10; at++) say(`m${at}`);
  const later = say("m11", { at: 10 * MINUTE_MS + 1 });
  assert.equal(brief(later), "create 1 m11");
});

Deno.test("Correlator lets an object say 25 things, then one in 5 minutes", () => {
  const say = world();
  const said = (count: number, at: number) =>
    Array.from({ length: count }, () => say("a", { at }).kind)
      .filter((kind) => kind !== "skip").length;
  assert.equal(said(40, 0), 25);
  assert.equal(said(5, 5 * MINUTE_MS - 1), 0);
  assert.equal(said(5, 5 * MINUTE_MS), 1);
  assert.equal(said(5, 15 * MINUTE_MS), 2);
  assert.equal(said(40, 300 * MINUTE_MS), 25);
  assert.equal(brief(say("a", { pod: "api" })), "create 1 a");
});

Deno.test("Correlator counts also what it does not let through", () => {
  const say = world();
  for (let at = 0; at < 30; at++) say("a");
  assert.equal(brief(say("a", { at: 10 * MINUTE_MS })), "count 31 a");
});

Deno.test("Correlator forgets the oldest of too many", () => {
  const say = world();
  say("a", { pod: "first" });
  for (let at = 0; at < 4096; at++) say("a", { pod: `pod-${at}` });
  assert.equal(brief(say("a", { pod: "first" })), "create 1 a");
  assert.equal(brief(say("a", { pod: "pod-4000" })), "count 2 a");
});
