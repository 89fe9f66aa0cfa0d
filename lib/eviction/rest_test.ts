import assert from "node:assert/strict";
import { A_FILESYSTEM } from "../../tests/fakes/fake_usage.ts";
import { aThreshold, MI } from "./fixture_test.ts";
import { CAPACITY, HARD, World } from "./world_test.ts";

Deno.test("run() looks at once when the kernel tells that memory is used", () => {
  const world = new World();
  return world.living(async () => {
    world.add("hog", 50n);
    await world.clock.advance(10);
    assert.ok((world.kernel.marks[0]?.usageBytes ?? 0n) > 0n);
    world.pods.set("hog", CAPACITY - 50n * MI);
    await world.clock.advance(1);
    assert.deepEqual(world.ordered, []);
    world.kernel.pass();
    await world.clock.advance(0);
    assert.deepEqual(world.ordered, ["hog 1s"]);
  });
});

Deno.test("run() does not look all the time where usage swings", () => {
  const world = new World();
  return world.living(async () => {
    world.add("web", 50n);
    const before = world.kernel.asked;
    for (let at = 0; at < 1_000; at++) {
      world.kernel.pass();
      await world.clock.advance(1);
    }
    const looks = world.kernel.asked - before;
    assert.ok(looks > 5 && looks <= 11, `${looks} looks`);
    assert.deepEqual(world.ordered, []);
  });
});

Deno.test("run() measures on where the kernel tells nothing", () => {
  const world = new World();
  world.kernel.isSilent = true;
  return world.living(async () => {
    world.add("hog", 50n);
    await world.clock.advance(10);
    world.pods.set("hog", CAPACITY - 50n * MI);
    await world.clock.advance(10_000);
    assert.deepEqual(world.ordered, ["hog 1s"]);
    assert.equal(world.kernel.asked, 1);
  });
});

Deno.test("run() tells of what it cannot measure, once that lasts", () => {
  const disk = aThreshold({ signal: "nodefs.available" });
  const world = new World({ thresholds: [HARD, disk] });
  return world.living(async () => {
    world.usage.filesystems.set("/var/lib/kubelet", {
      ...A_FILESYSTEM,
      availableBytes: 0n,
      // What is below a disk that was taken away.
      device: 99n,
    });
    world.isBlind = true;
    await world.clock.advance(19_000);
    assert.deepEqual(world.unmeasured, []);
    await world.clock.advance(21_000);
    assert.deepEqual(world.unmeasured, [
      ["MemoryPressure", "memory.available could not be measured"],
      ["DiskPressure", "nodefs.available could not be measured"],
    ]);
    assert.equal(world.pressure, "");
    world.isBlind = false;
    world.disk(A_FILESYSTEM.availableBytes);
    await world.clock.advance(11_000);
    assert.deepEqual(world.unmeasured, []);
  });
});
