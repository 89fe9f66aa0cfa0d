import assert from "node:assert/strict";
import { podUid } from "../api/id.ts";
import { API_ACCESS, podWith } from "./fixture_test.ts";
import { TOKEN, UID, World } from "./world_test.ts";

Deno.test("VolumeRunner.release() waits for what is written, then unmounts", async () => {
  const world = World.usual();
  world.delayMs = 1000;
  await world.after(500, podWith([API_ACCESS, { name: "d", emptyDir: {} }]));
  assert.ok(world.mounts.sizes.has(TOKEN));
  const signal = new AbortController().signal;
  await world.runner.release(UID, signal);
  assert.deepEqual([...world.mounts.sizes], []);
  assert.equal(world.runner.stateOf(UID), undefined);
  await world.clock.advance(5000);
  assert.deepEqual(await world.files.list(TOKEN), []);
  await world.runner.release(UID, signal);
  await world.end();
});

Deno.test("VolumeRunner.release() knows pods of another life by their directory", async () => {
  const before = World.usual();
  await before.after(0, podWith([API_ACCESS]));
  await before.end();
  const world = new World(before);
  const signal = new AbortController().signal;
  world.mounts.busy.add(TOKEN);
  await assert.rejects(world.runner.release(UID, signal), { next: "retry" });
  world.mounts.busy.clear();
  await world.runner.release(UID, signal);
  assert.deepEqual([...world.mounts.sizes], []);
  await world.runner.release(podUid("nobody"), signal);
  const hostile = world.runner.release(podUid("../../etc"), signal);
  await assert.rejects(hostile, { next: "give-up" });
  await world.end();
});

Deno.test("VolumeRunner.release() frees what only the pod could read", async () => {
  const world = World.usual();
  await world.after(0, podWith([API_ACCESS, { name: "d", emptyDir: {} }]));
  const state = world.runner.stateOf(UID);
  const path = state?.kind === "ready" ? state.paths.get("d") : "";
  assert.match(path ?? "", /empty-dir\/d$/);
  world.files.put(`${path}/large`, "much");
  const signal = new AbortController().signal;
  const released = world.runner.release(UID, signal);
  assert.ok(!world.runner.isLetGo(UID));
  await released;
  assert.ok(world.runner.isLetGo(UID));
  assert.equal(await world.files.stat(path ?? ""), undefined);
  await world.end();
});

Deno.test("VolumeRunner starts anew for a uid that comes back", async () => {
  const world = new World();
  const pod = podWith([{ name: "d", emptyDir: { medium: "Memory" } }]);
  await world.after(0, pod);
  const released = world.runner.release(UID, new AbortController().signal);
  world.runner.request(pod);
  await released;
  await world.clock.advance(0);
  assert.equal(world.runner.stateOf(UID)?.kind, "ready");
  assert.equal(world.mounts.sizes.size, 1);
  await world.end();
});
