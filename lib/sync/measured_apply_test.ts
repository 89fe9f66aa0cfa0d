import assert from "node:assert/strict";
import { aContainer, aPod } from "../../tests/build.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { createMeters } from "../api/meters.ts";
import { uidOf } from "../api/pod.ts";
import { AgentError } from "../base/errors.ts";
import { createMetrics } from "../base/metrics.ts";
import type { Action } from "../pod/action.ts";
import { measuredApply, typeIn } from "./measured_apply.ts";

function aWorld(fails?: unknown) {
  const clock = new FakeClock();
  const meters = createMeters(createMetrics());
  const stop = new AbortController();
  const apply = measuredApply(
    { clock, meters, podOf: () => aPod() },
    () => fails === undefined ? Promise.resolve() : Promise.reject(fails),
  );
  const at = {
    uid: uidOf(aPod()),
    signal: stop.signal,
    life: stop.signal,
    made: { sandboxes: [], containers: [] },
  };
  return { meters, stop, run: (action: Action) => apply(action, at) };
}

const NOTE: Action = { kind: "note", type: "Normal", reason: "x", message: "" };

Deno.test("measuredApply() counts actions and their failures", async () => {
  const good = aWorld();
  await good.run(NOTE);
  assert.match(
    await good.meters.set.text(),
    /denolet_action_duration_seconds_count\{action="note"\} 1\n/,
  );
  const bad = aWorld(new AgentError("No", { next: "retry" }));
  await assert.rejects(bad.run(NOTE), /No/);
  assert.match(
    await bad.meters.set.text(),
    /denolet_action_errors_total\{action="note"\} 1\n/,
  );
});

Deno.test("measuredApply() counts nothing as failed that was cut short", async () => {
  const reason = new DOMException("Over", "AbortError");
  const { run, stop, meters } = aWorld(reason);
  stop.abort(reason);
  await assert.rejects(run(NOTE));
  assert.doesNotMatch(
    await meters.set.text(),
    /denolet_action_errors_total\{/,
  );
});

Deno.test("typeIn() tells a container's role", () => {
  const pod = aPod({
    spec: { initContainers: [aContainer({ name: "first" })] },
  });
  assert.equal(typeIn(pod, "web"), "container");
  assert.equal(typeIn(pod, "first"), "init_container");
  assert.equal(typeIn(undefined, "web"), "container");
});
