import assert from "node:assert/strict";
import { uidOf } from "../api/pod.ts";
import { podUid } from "../api/id.ts";
import { STATE, World } from "./fixture_test.ts";

Deno.test("ShutdownLoop ends pods group by group and lets go of its lock last", async () => {
  const world = new World();
  const web = world.has("web", 0, 5);
  const api = world.has("api", 100, 60);
  const dns = world.has("dns", 2_000_000_000, 60);
  await world.start();
  assert.equal(world.logind.heldCount, 1);
  world.logind.prepare("shutdown");
  await world.clock.advance(0);
  assert.equal(world.isDown, true);
  assert.deepEqual(world.ordered(), { web: 5, api: 20 });
  assert.deepEqual(world.interrupted, [web, api]);
  await world.ends(web);
  assert.deepEqual(world.ordered(), { web: 5, api: 20 });
  await world.ends(api);
  assert.deepEqual(world.ordered(), { web: 5, api: 20, dns: 10 });
  assert.equal(world.logind.heldCount, 1);
  const hears = Promise.withResolvers<void>();
  world.told = hears.promise;
  await world.ends(dns);
  assert.equal(world.loop.view().stage.kind, "telling");
  assert.equal(world.logind.heldCount, 1);
  hears.resolve();
  await world.clock.advance(0);
  assert.equal(world.logind.heldCount, 0);
  assert.equal(world.loop.view().stage.kind, "done");
  assert.equal(world.isDown, true);
  assert.deepEqual(world.events, ["Shutdown manager detected shutdown event"]);
  await world.close();
});

Deno.test("ShutdownLoop waits no longer than a group has", async () => {
  const world = new World();
  const slow = world.has("slow", 0);
  world.has("dns", 2_000_000_000);
  world.told = new Promise(() => {});
  await world.start();
  world.logind.prepare("shutdown");
  await world.clock.advance(19_999);
  assert.deepEqual(world.ordered(), { slow: 20 });
  const { stage } = world.loop.view();
  assert.deepEqual(stage, {
    kind: "ending-pods",
    priority: 0,
    left: 1,
    untilMs: world.clock.nowMs() + 1,
  });
  await world.clock.advance(1);
  assert.deepEqual(world.ordered(), { slow: 20, dns: 10 });
  await world.clock.advance(10_000);
  // Late pods get one second more, and the last words another one.
  assert.equal(world.loop.view().stage.kind, "telling");
  await world.clock.advance(1_999);
  assert.equal(world.logind.heldCount, 1);
  await world.clock.advance(1);
  assert.equal(world.logind.heldCount, 0);
  assert.equal(world.gone.has(slow), false);
  await world.close();
});

Deno.test("ShutdownLoop tells of a pod that was late in its group, too", async () => {
  const world = new World();
  const slow = world.has("slow", 0);
  const dns = world.has("dns", 2_000_000_000);
  await world.start();
  world.logind.prepare("shutdown");
  await world.clock.advance(20_000);
  await world.ends(dns);
  // It may still end in the time that the other group did not need.
  await world.clock.advance(5_000);
  assert.equal(world.logind.heldCount, 1);
  await world.ends(slow);
  assert.equal(world.logind.heldCount, 0);
  await world.close();
});

Deno.test("ShutdownLoop has no turn for a group without pods", async () => {
  const world = new World();
  const dns = world.has("dns", 2_000_000_000);
  await world.start();
  world.logind.prepare("shutdown");
  await world.clock.advance(0);
  assert.deepEqual(world.ordered(), { dns: 10 });
  await world.ends(dns);
  assert.equal(world.logind.heldCount, 0);
  await world.close();
});

Deno.test("ShutdownLoop comes back when the machine stays after all", async () => {
  const world = new World();
  world.has("web", 0);
  const mirror = world.has("static", 0);
  world.statics.add(mirror);
  world.has("dns", 2_000_000_000);
  await world.start();
  world.logind.prepare("shutdown");
  await world.clock.advance(5_000);
  world.logind.prepare("cancellation");
  await world.clock.advance(0);
  assert.equal(world.isDown, false);
  assert.equal(world.loop.view().stage.kind, "up");
  assert.equal(world.logind.heldCount, 1);
  // What was ordered stands, but for a pod that nobody would make anew.
  assert.deepEqual(world.ordered(), { web: 20 });
  await world.clock.advance(60_000);
  assert.deepEqual(world.ordered(), { web: 20 });
  assert.deepEqual(world.events, [
    "Shutdown manager detected shutdown event",
    "Shutdown manager detected shutdown cancellation",
  ]);
  // And once more, for what is there by then.
  world.pods = world.pods.filter((pod) => uidOf(pod) !== podUid("web"));
  world.logind.prepare("shutdown");
  await world.clock.advance(0);
  assert.deepEqual(world.ordered(), { web: 20, static: 20 });
  await world.close();
});

Deno.test("ShutdownLoop makes logind wait as long as pods may take", async () => {
  const world = new World();
  world.logind.delayMs = 5_000;
  await world.start();
  assert.equal(world.logind.delayMs, 30_000);
  assert.equal(world.loop.view().problem, undefined);
  assert.equal(world.loop.view().delayMs, 30_000);
  await world.close();
});

Deno.test("ShutdownLoop holds its lock also where the wait stays short", async () => {
  const world = new World();
  world.logind.delayMs = 5_000;
  world.logind.mostDelayMs = 6_000;
  await world.start();
  await world.clock.advance(1_500);
  assert.match(world.loop.view().problem ?? "", /waits 6 s .* to get 30 s/);
  assert.equal(world.logind.heldCount, 1);
  await world.close();
});

Deno.test("ShutdownLoop looks for logind again, less and less often", async () => {
  const world = new World();
  world.logind.isAway = true;
  await world.start();
  assert.match(world.loop.view().problem ?? "", /Logind is not there/);
  await world.clock.advance(120_000);
  world.logind.isAway = false;
  await world.clock.advance(60_000);
  assert.equal(world.loop.view().problem, undefined);
  assert.equal(world.logind.heldCount, 1);
  world.logind.leave();
  await world.clock.advance(0);
  assert.match(world.loop.view().problem ?? "", /Logind is not there/);
  // The old lock is kept until there is a new one.
  assert.equal(world.logind.heldCount, 1);
  world.logind.isAway = false;
  await world.clock.advance(61_000);
  assert.equal(world.logind.heldCount, 1);
  await world.close();
  assert.equal(world.logind.heldCount, 0);
});

Deno.test("ShutdownLoop takes up a shutdown that began without it", async () => {
  const world = new World();
  const heard = Promise.withResolvers<void>();
  world.known = heard.promise;
  world.logind.isPreparing = true;
  await world.start();
  assert.equal(world.isDown, true);
  // Nobody has told of the pods yet.
  world.has("web", 0);
  assert.deepEqual(world.ordered(), {});
  heard.resolve();
  await world.clock.advance(0);
  assert.deepEqual(world.ordered(), { web: 20 });
  await world.close();
});

Deno.test("ShutdownLoop does not wait for ever for a source of pods", async () => {
  const world = new World();
  world.known = new Promise(() => {});
  world.has("static", 0);
  world.logind.isPreparing = true;
  await world.start();
  await world.clock.advance(5_000);
  assert.deepEqual(world.ordered(), { static: 20 });
  await world.close();
});

Deno.test("ShutdownLoop goes on with the pods when logind goes first", async () => {
  const world = new World();
  const web = world.has("web", 0);
  world.has("dns", 2_000_000_000);
  await world.start();
  world.logind.prepare("shutdown");
  await world.clock.advance(0);
  world.logind.leave();
  await world.clock.advance(0);
  await world.ends(web);
  assert.deepEqual(world.ordered(), { web: 20, dns: 10 });
  await world.close();
});

Deno.test("ShutdownLoop is idle where pods get no time", async () => {
  const world = new World([]);
  await world.start();
  await world.running;
  assert.equal(world.logind.heldCount, 0);
  assert.equal(world.loop.isOff, true);
});

Deno.test("ShutdownLoop keeps when it was, for the agent after it", async () => {
  const world = new World();
  const web = world.has("web", 0);
  await world.start();
  const startMs = world.clock.nowMs();
  world.logind.prepare("shutdown");
  await world.clock.advance(7_000);
  const kept = async () =>
    JSON.parse(
      new TextDecoder().decode(await world.files.read(STATE, 4096)),
    );
  assert.deepEqual(await kept(), {
    startTime: new Date(startMs).toISOString(),
    endTime: "0001-01-01T00:00:00Z",
  });
  await world.ends(web);
  assert.equal(
    (await kept()).endTime,
    new Date(startMs + 7_000).toISOString(),
  );
  await world.close();

  const later = new World();
  later.files.put(STATE, JSON.stringify(await kept()));
  await later.start();
  const text = await later.meters.set.text();
  assert.match(
    text,
    new RegExp(
      `shutdown_start_time_seconds ${Math.floor(startMs / 1000)}\n`,
    ),
  );
  assert.match(
    text,
    new RegExp(
      `shutdown_end_time_seconds ${Math.floor(startMs / 1000) + 7}\n`,
    ),
  );
  await later.close();
});
