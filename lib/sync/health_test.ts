import assert from "node:assert/strict";
import { cell } from "../base/cell.ts";
import { silentLogger } from "../base/log.ts";
import type { RuntimeHealth } from "../pod/facts.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { FakeRuntime } from "../../tests/fakes/fake_runtime.ts";
import { HealthLoop, UNHEARD } from "./health.ts";

/** Plays with a health loop that runs; `changes` are those told of. */
async function withLoop(
  play: (at: {
    readonly clock: FakeClock;
    readonly runtime: FakeRuntime;
    readonly loop: HealthLoop;
    readonly health: () => RuntimeHealth;
    readonly changes: readonly boolean[];
  }) => Promise<void>,
  before: (runtime: FakeRuntime) => void = () => {},
): Promise<void> {
  const clock = new FakeClock();
  const runtime = new FakeRuntime(clock);
  before(runtime);
  const [writer, reader] = cell(UNHEARD);
  const changes: boolean[] = [];
  const loop = new HealthLoop({
    runtime,
    clock,
    log: silentLogger,
    health: writer,
    changed: () => changes.push(reader.get().isReady),
  });
  const stop = new AbortController();
  const ended = loop.run(stop.signal).catch(() => {});
  await clock.advance(0);
  await play({ clock, runtime, loop, health: () => reader.get(), changes });
  stop.abort();
  await ended;
  assert.equal(clock.sleepers, 0);
}

Deno.test("HealthLoop asks at start and tells once", async () => {
  await withLoop(async ({ clock, health, changes }) => {
    assert.deepEqual(health(), {
      isReady: true,
      isNetworkReady: true,
      message: "",
      name: "fake",
      cgroupDriver: "cgroupfs",
      handlers: [{
        name: "",
        hasRecursiveReadOnlyMounts: true,
        hasUserNamespaces: true,
      }],
    });
    await clock.advance(300_000);
    assert.deepEqual(changes, [true]);
  });
});

Deno.test("HealthLoop looks when suspected and finds a runtime that is back", async () => {
  await withLoop(async ({ clock, runtime, loop, health, changes }) => {
    runtime.world.stop();
    await clock.advance(1000);
    assert.equal(health().isReady, true);
    loop.suspect();
    await clock.advance(0);
    assert.equal(health().isReady, false);
    assert.match(health().message, /does not answer: .*it is down/);
    assert.equal(health().name, "fake");
    await clock.advance(60_000);
    runtime.world.start();
    await clock.advance(2000);
    assert.deepEqual([health().isReady, changes], [true, [true, false, true]]);
  });
});

Deno.test("HealthLoop finds within half a minute what nobody suspects", async () => {
  await withLoop(async ({ clock, runtime, health }) => {
    runtime.world.stop();
    await clock.advance(30_000);
    assert.equal(health().isReady, false);
  });
});

Deno.test("HealthLoop waits for a runtime that is not there yet", async () => {
  await withLoop(async ({ clock, runtime, health }) => {
    assert.equal(health().isReady, false);
    runtime.world.start();
    await clock.advance(200);
    assert.equal(health().isReady, true);
  }, (runtime) => runtime.world.stop());
});

Deno.test("HealthLoop asks each second while the network is not ready", async () => {
  await withLoop(async ({ clock, runtime, health }) => {
    assert.deepEqual([health().isReady, health().isNetworkReady], [
      true,
      false,
    ]);
    assert.match(health().message, /^NetworkPluginNotReady: /);
    runtime.world.isNetworkReady = true;
    await clock.advance(1000);
    assert.equal(health().isNetworkReady, true);
  }, (runtime) => runtime.world.isNetworkReady = false);
});
