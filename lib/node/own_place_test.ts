import assert from "node:assert/strict";
import { silentLogger } from "../base/log.ts";
import { FakeCgroups } from "../../tests/fakes/fake_cgroups.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { FakeOwnProcess } from "../../tests/fakes/fake_own_process.ts";
import { PlaceLoop, type PlaceSettings } from "./own_place.ts";

const NOWHERE: PlaceSettings = {
  ownCgroup: "",
  systemCgroup: "",
  oomScoreAdj: -999,
};

class Run {
  readonly clock = new FakeClock();
  readonly cgroups = new FakeCgroups();
  readonly ownProcess = new FakeOwnProcess();
  readonly told: unknown[] = [];
  readonly loop: PlaceLoop;

  constructor(settings: Partial<PlaceSettings>) {
    const log = {
      ...silentLogger,
      warn: (_: string, fields = {}) => this.told.push(fields),
    };
    const { clock, cgroups, ownProcess } = this;
    this.loop = new PlaceLoop(
      { clock, cgroups, ownProcess, log },
      { ...NOWHERE, ...settings },
    );
  }
}

function story(
  name: string,
  settings: Partial<PlaceSettings>,
  fn: (run: Run, begin: () => Promise<void>) => Promise<void>,
): void {
  Deno.test(`PlaceLoop ${name}`, async () => {
    const run = new Run(settings);
    const stop = new AbortController();
    let running = Promise.resolve();
    try {
      await fn(run, async () => {
        running = run.loop.run(stop.signal).catch(() => {});
        await run.clock.advance(0);
      });
    } finally {
      stop.abort(new DOMException("over", "AbortError"));
      await running;
    }
  });
}

story(
  "sets the score and moves nothing unless told to",
  {},
  async (run, begin) => {
    run.cgroups.places.set(77, "/");
    await begin();
    assert.equal(run.ownProcess.oomScoreAdj, -999);
    assert.deepEqual([...run.cgroups.places], [[77, "/"]]);
    run.ownProcess.oomScoreAdj = 5;
    await run.clock.advance(299_999);
    assert.equal(run.ownProcess.oomScoreAdj, 5);
    await run.clock.advance(1);
    assert.equal(run.ownProcess.oomScoreAdj, -999, "set again");
  },
);

story("moves the agent, again if it was moved away", {
  ownCgroup: "kubelet.slice",
}, async (run, begin) => {
  const where = () => run.cgroups.places.get(run.ownProcess.pid);
  await begin();
  assert.equal(where(), "/kubelet.slice");
  run.cgroups.places.set(run.ownProcess.pid, "/");
  await run.clock.advance(60_000);
  assert.equal(where(), "/kubelet.slice");
  assert.deepEqual(run.told, []);
});

story("moves what is in no cgroup into the system's", {
  systemCgroup: "/system",
}, async (run, begin) => {
  for (const pid of [7, 8]) run.cgroups.places.set(pid, "/");
  run.cgroups.places.set(9, "/kubepods/pod1");
  await begin();
  run.cgroups.places.set(10, "/");
  await run.clock.advance(60_000);
  assert.deepEqual([...run.cgroups.places].sort(), [
    [10, "/system"],
    [7, "/system"],
    [8, "/system"],
    [9, "/kubepods/pod1"],
  ]);
});

story("says what the host refuses once, and goes on", {
  ownCgroup: "/kubelet",
}, async (run, begin) => {
  run.ownProcess.leastScore = 0;
  run.cgroups.broken.add("/kubelet");
  await begin();
  await run.clock.advance(180_000);
  assert.deepEqual(run.told, [
    { message: "permission denied" },
    {
      message: "Cannot move processes into /kubelet: cgroup.procs: broken",
    },
  ]);
  assert.deepEqual(run.loop.failures, [
    "Cannot move processes into /kubelet: cgroup.procs: broken",
    "permission denied",
  ]);
  run.cgroups.broken.clear();
  run.ownProcess.leastScore = -1000;
  await run.clock.advance(60_000);
  assert.equal(run.cgroups.places.get(run.ownProcess.pid), "/kubelet");
  assert.deepEqual(run.loop.failures, []);
});

story("leaves an agent in a container where it is", {
  ownCgroup: "/kubelet",
}, async (run, begin) => {
  run.ownProcess.isHere = false;
  await begin();
  assert.equal(run.cgroups.places.size, 0);
  assert.deepEqual(run.told, []);
  run.ownProcess.isHere = "nobody may look";
  await run.clock.advance(60_000);
  assert.equal(run.cgroups.places.size, 0);
  assert.deepEqual(run.told, [{ message: "nobody may look" }]);
});
