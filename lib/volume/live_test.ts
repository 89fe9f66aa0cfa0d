import assert from "node:assert/strict";
import type { V1Volume } from "../api/types.ts";
import { podWith } from "./fixture_test.ts";
import { AT, UID, World } from "./world_test.ts";

const REF = { namespace: "prod", name: "c" };
const VOLUME: V1Volume = { name: "v", configMap: { name: "c" } };
const PATH = `${AT}configmap/v`;

function put(world: World, text: string, own = {}): void {
  world.cluster.put("ConfigMap", REF, { data: { k: text }, ...own });
}

Deno.test("VolumeRunner writes a config map that changes", async () => {
  const world = new World();
  put(world, "1");
  await world.after(0, podWith([VOLUME]));
  assert.equal(await world.text(PATH, "k"), "1");
  const first = await world.files.readLink(`${PATH}/..data`);
  // What changes but its content is not written.
  put(world, "1", { metadata: { ...REF, labels: { a: "b" } } });
  await world.clock.advance(1000);
  assert.equal(await world.files.readLink(`${PATH}/..data`), first);
  put(world, "2");
  await world.clock.advance(0);
  assert.equal(await world.text(PATH, "k"), "2");
  assert.equal(world.hints.length, 1);
  assert.deepEqual(world.steps, []);
  await world.end();
});

Deno.test("VolumeRunner writes a burst of changes a few times, the last one last", async () => {
  const world = new World();
  put(world, "0");
  await world.after(1000, podWith([VOLUME]));
  const written = new Set<string | undefined>();
  for (let n = 1; n <= 100; n++) {
    put(world, String(n));
    await world.clock.advance(10);
    written.add(await world.files.readLink(`${PATH}/..data`));
  }
  await world.clock.advance(200);
  assert.equal(await world.text(PATH, "k"), "100");
  assert.ok(written.size <= 7, `${written.size} writes in a second`);
  await world.end();
});

Deno.test("VolumeRunner rewrites only the volume that changed", async () => {
  const world = new World();
  put(world, "1");
  world.cluster.put("Secret", { namespace: "prod", name: "s" }, {
    data: { k: btoa("x") },
  });
  const other: V1Volume = { name: "o", secret: { secretName: "s" } };
  await world.after(0, podWith([VOLUME, other]));
  await world.files.remove(`${AT}secret/o/k`);
  put(world, "2");
  await world.clock.advance(200);
  assert.equal(await world.text(PATH, "k"), "2");
  assert.equal(await world.files.stat(`${AT}secret/o/k`), undefined);
  await world.end();
});

Deno.test("VolumeRunner keeps the files of an object that is deleted", async () => {
  const world = new World();
  put(world, "1");
  await world.after(0, podWith([VOLUME]));
  world.cluster.take("ConfigMap", REF);
  await world.clock.advance(200);
  assert.equal(await world.text(PATH, "k"), "1");
  assert.equal(world.runner.stateOf(UID)?.kind, "ready");
  assert.match(world.steps[0]?.message ?? "", /configmap "c" not found$/);
  put(world, "2");
  await world.clock.advance(200);
  assert.equal(await world.text(PATH, "k"), "2");
  await world.end();
});

Deno.test("VolumeRunner follows an optional object that comes and goes", async () => {
  const world = new World();
  const optional: V1Volume = {
    name: "v",
    configMap: { name: "c", optional: true },
  };
  const state = await world.after(0, podWith([optional]));
  assert.equal(state?.kind, "ready");
  assert.equal(await world.text(PATH, "k"), undefined);
  put(world, "1");
  await world.clock.advance(200);
  assert.equal(await world.text(PATH, "k"), "1");
  world.cluster.take("ConfigMap", REF);
  await world.clock.advance(200);
  assert.equal(await world.text(PATH, "k"), undefined);
  assert.equal(await world.files.stat(`${PATH}/k`), undefined);
  assert.deepEqual(world.steps, []);
  await world.end();
});

Deno.test("VolumeRunner starts a pod as soon as what it waits for is there", async () => {
  const world = new World();
  assert.equal((await world.after(0, podWith([VOLUME])))?.kind, "failed");
  // Long after the first tries, when the next is two minutes off.
  await world.clock.advance(10);
  put(world, "1");
  await world.clock.advance(200);
  assert.equal(world.runner.stateOf(UID)?.kind, "ready");
  assert.equal(world.hints.at(-1)?.(), true);
  await world.end();
});

Deno.test("VolumeRunner does not watch what never changes", async () => {
  const world = new World();
  put(world, "1", { immutable: true });
  await world.after(0, podWith([VOLUME]));
  assert.equal(world.cluster.watches, 0);
  put(world, "2", { immutable: true });
  await world.clock.advance(60_000);
  assert.equal(await world.text(PATH, "k"), "1");
  await world.end();
});

Deno.test("VolumeRunner tells in files of labels that its source changes", async () => {
  const world = new World();
  const volume: V1Volume = {
    name: "v",
    downwardAPI: {
      items: [{ path: "l", fieldRef: { fieldPath: "metadata.labels" } }],
    },
  };
  await world.after(1000, podWith([volume], { labels: { a: "1" } }));
  world.runner.update(UID, podWith([volume], { labels: { a: "2" } }));
  await world.clock.advance(0);
  assert.equal(await world.text(`${AT}downward-api/v`, "l"), 'a="2"');
  await world.end();
});
