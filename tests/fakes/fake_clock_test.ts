import assert from "node:assert/strict";
import { aContainerSpec, aSandboxSpec } from "../contract/runtime_specs.ts";
import { podUid } from "../../lib/api/id.ts";
import { FakeClock } from "./fake_clock.ts";
import { FakeRuntime } from "./fake_runtime.ts";

const forever = new AbortController().signal;

Deno.test("advance() wakes sleepers in order, each at its own time", async () => {
  const clock = new FakeClock(1000);
  const woken: string[] = [];
  const nap = async (name: string, ...naps: number[]) => {
    for (const ms of naps) {
      await clock.sleep(ms, forever);
      woken.push(`${name}@${clock.nowMs()}`);
    }
  };
  const all = Promise.all([nap("a", 30, 30), nap("b", 20), nap("c", 90)]);
  await clock.advance(60);
  assert.deepEqual(woken, ["b@1020", "a@1030", "a@1060"]);
  assert.equal(clock.sleepers, 1);
  await clock.advance(1000);
  await all;
  assert.equal(clock.monotonicMs(), 1060);
});

Deno.test("sleep() rejects on abort and forgets the sleeper", async () => {
  const clock = new FakeClock();
  const reason = new Error("enough");
  const stop = new AbortController();
  const sleep = assert.rejects(clock.sleep(10, stop.signal), reason);
  stop.abort(reason);
  await sleep;
  assert.equal(clock.sleepers, 0);
  await assert.rejects(clock.sleep(10, stop.signal), reason);
});

Deno.test("jump() moves the wall clock only", () => {
  const clock = new FakeClock(5000);
  clock.jump(-2000);
  assert.equal(clock.nowMs(), 3000);
  assert.equal(clock.monotonicMs(), 0);
});

Deno.test("FakeRuntime is slow, lingers and goes down as told", async () => {
  const clock = new FakeClock();
  const runtime = new FakeRuntime(clock);
  const sandbox = aSandboxSpec(podUid("11111111"));
  const sandboxId = await runtime.runSandbox(sandbox, forever);
  const container = aContainerSpec(sandbox.podUid, {
    imageRef: "any",
    command: ["linger", "5"],
  });
  const request = { sandboxId, sandbox, container };
  const id = await runtime.createContainer(request, forever);
  await runtime.startContainer(id, forever);

  const stopping = runtime.stopContainer(id, 30, forever);
  await clock.advance(4999);
  assert.equal(runtime.world.container(id).state, "running");
  await clock.advance(1);
  await stopping;
  assert.equal(runtime.world.container(id).exitCode, 0);

  runtime.world.latencyMs = 100;
  const startedMs = clock.monotonicMs();
  const version = runtime.version(forever);
  await clock.advance(100);
  await version;
  assert.equal(clock.monotonicMs() - startedMs, 100);

  const late = assert.rejects(runtime.version(forever), { next: "retry" });
  runtime.world.stop();
  await clock.advance(100);
  await late;
});
