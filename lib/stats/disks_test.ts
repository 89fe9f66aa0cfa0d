import assert from "node:assert/strict";
import { silentLogger } from "../base/log.ts";
import { containerId, podUid } from "../api/id.ts";
import type { ListFilter } from "../port/runtime.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { FakeUsage } from "../../tests/fakes/fake_usage.ts";
import { DiskMeter } from "./disks.ts";
import { aMeasuredPod } from "./fixture_test.ts";

Deno.test("DiskMeter.measure() knows the layers of all but the pod that hangs", async () => {
  const clock = new FakeClock();
  const asked: string[] = [];
  let isHung = true;
  const statsOf = (uid: string) => ({
    id: containerId(`c-${uid}`),
    name: "web",
    podUid: podUid(uid),
    writableLayer: {
      atMs: clock.nowMs(),
      mountpoint: "/images",
      usedBytes: 7n,
      inodesUsed: 1n,
    },
  });
  const uids = ["stuck", "well"];
  const meter = new DiskMeter({
    usage: new FakeUsage(),
    clock,
    log: silentLogger,
    pods: () => uids.map((uid) => aMeasuredPod({ uid: podUid(uid) })),
    images: { usage: () => Promise.resolve({ images: [], containers: [] }) },
    runtime: {
      listContainerStats: async ({ podUid: uid }: ListFilter, signal) => {
        asked.push(uid ?? "all");
        const wanted = uids.filter((each) => uid === undefined || each === uid);
        if (isHung && wanted.includes("stuck")) {
          await clock.sleep(120_000, signal);
        }
        return wanted.map(statsOf);
      },
    },
  }, { rootDir: "/data", isRootMeasured: false, diskAgeMs: -1 });
  const layers = async (advanceMs: number) => {
    const signal = new AbortController().signal;
    const measured = meter.measure(signal);
    await clock.advance(advanceMs);
    return [...(await measured).layers.keys()].map(String);
  };
  assert.deepEqual(await layers(12_000), ["c-well"]);
  assert.deepEqual(asked, ["all", "stuck", "well"]);
  // The next time nobody waits for all of them.
  await clock.advance(10_000);
  assert.deepEqual(await layers(2_000), ["c-well"]);
  assert.deepEqual(asked.slice(3), ["stuck", "well"]);
  isHung = false;
  await clock.advance(10_000);
  assert.deepEqual(await layers(0), ["c-stuck", "c-well"]);
  await clock.advance(10_000);
  assert.deepEqual(await layers(0), ["c-stuck", "c-well"]);
  assert.equal(asked.at(-1), "all");
  assert.equal(clock.sleepers, 0);
});
