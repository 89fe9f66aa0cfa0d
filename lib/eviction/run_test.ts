import assert from "node:assert/strict";
import { aContainer, aPod } from "../../tests/build.ts";
import { aThreshold, MI } from "./fixture_test.ts";
import { CAPACITY, HARD, World } from "./world_test.ts";

Deno.test("run() evicts the pod that uses most, one at a time", async () => {
  const world = new World({ transitionMs: 60_000 });
  world.add("small", 50n);
  world.add("hog", 100n);
  await world.living(async () => {
    assert.deepEqual(world.ordered, []);
    world.pods.set("hog", CAPACITY - 100n * MI);
    await world.clock.advance(10_000);
    assert.deepEqual(world.ordered, ["hog 1s"]);
    assert.equal(world.pressure, "MemoryPressure");
    assert.equal(
      world.message,
      "The node was low on resource: memory. " +
        "Threshold quantity: 100Mi, available: 50Mi. " +
        "Container web was using 8092Mi, request is 0, has larger " +
        "consumption of memory. ",
    );
    assert.deepEqual(world.told, [
      "Attempting to reclaim memory",
      "Evicted hog",
      "counted memory.available, 0 ms old",
      "interrupt hog",
    ]);
    // It is waited for; nobody else goes meanwhile.
    await world.clock.advance(27_000);
    assert.deepEqual(world.ordered, ["hog 1s"]);
    // It took longer than such an end should.
    assert.deepEqual(world.told.slice(4), ["ExceededGracePeriod hog"]);
    world.end("hog");
    await world.clock.advance(1_000);
    assert.deepEqual(world.ordered, []);
    assert.equal(world.pressure, "MemoryPressure");
    await world.clock.advance(60_000);
    assert.equal(world.pressure, "");
    assert.equal(world.told.length, 5);
  });
});

Deno.test("run() takes the next when the first does not go", async () => {
  const world = new World();
  world.add("stuck", CAPACITY / MI - 60n);
  world.add("next", 50n);
  await world.living(async () => {
    assert.deepEqual(world.ordered, ["stuck 1s"]);
    await world.clock.advance(30_000);
    assert.deepEqual(world.ordered, ["stuck 1s", "next 1s"]);
  });
});

Deno.test("run() sees within a second that memory became short", async () => {
  const world = new World();
  world.add("hog", 100n);
  world.ownBytes = CAPACITY - 500n * MI;
  await world.living(async () => {
    await world.clock.advance(3_300);
    assert.deepEqual(world.ordered, []);
    world.pods.set("hog", 450n * MI);
    await world.clock.advance(1_000);
    assert.deepEqual(world.ordered, ["hog 1s"]);
  });
});

Deno.test("run() looks seldom while there is plenty", async () => {
  let looks = 0;
  const world = new World({
    allPods: () => {
      looks++;
      return "";
    },
  });
  await world.living(async () => {
    looks = 0;
    await world.clock.advance(60_000);
    // 8 GiB cannot be full in less than eight seconds.
    assert.ok(looks <= 20, `${looks} looks in a minute`);
  });
});

Deno.test("run() gives soft evictions the shorter grace", async () => {
  const soft = { ...HARD, graceMs: 12_000 };
  const world = new World({ thresholds: [soft] });
  world.add("hog", CAPACITY / MI);
  await world.living(async () => {
    assert.equal(world.pressure, "MemoryPressure");
    await world.clock.advance(11_999);
    assert.deepEqual(world.ordered, []);
    await world.clock.advance(1);
    assert.deepEqual(world.ordered, ["hog 7s"]);
  });
});

Deno.test("run() frees the disk of images before a pod has to go", async () => {
  const disk = aThreshold({
    signal: "nodefs.available",
    value: { kind: "share", percent: 70 },
  });
  const world = new World({ thresholds: [disk] });
  world.freedByImages = 200_000n;
  world.add("web", 1n);
  await world.living(async () => {
    await world.clock.advance(1_000);
    assert.deepEqual(world.told, [
      "Attempting to reclaim ephemeral-storage",
      "removed dead containers",
      "removed unused images",
    ]);
    assert.deepEqual(world.ordered, []);
    assert.equal(world.pressure, "DiskPressure");
  });
});

Deno.test("run() goes on when pods cannot be measured", async () => {
  const disk = aThreshold({
    signal: "nodefs.available",
    value: { kind: "share", percent: 70 },
  });
  const world = new World({ thresholds: [disk] });
  world.add("web", 1n);
  await world.living(async () => {
    await world.clock.advance(10_000);
    assert.deepEqual(world.ordered, []);
    assert.equal(
      world.told.filter((each) => /Attempting/.test(each)).length,
      2,
    );
  });
});

Deno.test("run() never evicts critical pods", async () => {
  const world = new World();
  const spec = { priority: 2_000_000_000 };
  const containers = [aContainer()];
  const pod = aPod({ name: "proxy", uid: "proxy", containers, spec });
  world.add("proxy", CAPACITY / MI, pod);
  await world.living(async () => {
    await world.clock.advance(20_000);
    assert.deepEqual(world.ordered, []);
    assert.equal(world.pressure, "MemoryPressure");
    const { thresholds } = world.loop.view();
    assert.deepEqual(thresholds, [{
      threshold: "memory.available<100Mi",
      detail: "0 of 8Gi available; needs 100Mi",
      isMet: true,
    }]);
  });
});
