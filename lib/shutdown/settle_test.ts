/** SIGTERM: the agent alone is to end, or the machine with it. */
import assert from "node:assert/strict";
import { World } from "./fixture_test.ts";

Deno.test("ShutdownLoop.settle() lets a mere restart of the agent end no pod", async () => {
  const world = new World();
  world.has("web", 0);
  await world.start();
  await world.loop.settle(new AbortController().signal);
  assert.deepEqual(world.ordered(), {});
  assert.deepEqual(world.events, []);
  assert.deepEqual(world.manager.heard, []);
  await world.close();
});

Deno.test("ShutdownLoop.settle() ends pods when PID 1 says that the machine goes", async () => {
  const world = new World();
  const web = world.has("web", 0);
  world.logind.isAway = true;
  world.manager.goesDown = true;
  await world.start();
  let isSettled = false;
  const settling = world.loop.settle(new AbortController().signal)
    .then(() => isSettled = true);
  await world.clock.advance(11_000);
  assert.deepEqual(world.ordered(), { web: 20 });
  assert.equal(isSettled, false);
  // The unit's time to stop is made longer, again and again.
  const extended = "EXTEND_TIMEOUT_USEC=20000000";
  assert.deepEqual(world.manager.heard, [extended, extended, extended]);
  await world.ends(web);
  await settling;
  await world.close();
});

Deno.test("ShutdownLoop.settle() takes no answer of PID 1 for a no", async () => {
  const world = new World();
  world.has("web", 0);
  world.manager.isGoingDown = () => new Promise(() => {});
  await world.start();
  const settling = world.loop.settle(new AbortController().signal);
  await world.clock.advance(3_000);
  await settling;
  assert.deepEqual(world.ordered(), {});
  await world.close();
});

Deno.test("ShutdownLoop.settle() waits for nothing once somebody insists", async () => {
  const world = new World();
  world.has("web", 0);
  await world.start();
  world.logind.prepare("shutdown");
  await world.clock.advance(0);
  const atOnce = new AbortController();
  const settling = world.loop.settle(atOnce.signal);
  await world.clock.advance(1_000);
  atOnce.abort(new DOMException("SIGTERM", "AbortError"));
  await settling;
  await world.close();
});
