import assert from "node:assert/strict";
import type { Step } from "../api/step.ts";
import { silentLogger } from "../base/log.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { FakeCgroups } from "../../tests/fakes/fake_cgroups.ts";
import { CgroupLoop, type WantedCgroups } from "./cgroups.ts";

const TOP = "/kubepods";
const BURSTABLE = "/kubepods/burstable";
const POD = "/kubepods/burstable/pod1";

function tree(burstable = 2n): WantedCgroups {
  return {
    top: {
      path: TOP,
      name: '["kubepods"]',
      values: { cpuShares: 2048n, memoryLimitBytes: 1_000n },
    },
    classes: [{ path: BURSTABLE, values: { cpuShares: burstable } }],
    pods: [{ path: POD, values: { cpuShares: 102n } }],
  };
}

class Run {
  readonly clock = new FakeClock();
  readonly cgroups = new FakeCgroups();
  readonly steps: Step[] = [];
  wanted: WantedCgroups | undefined = tree();
  readonly loop = new CgroupLoop({
    cgroups: this.cgroups,
    recorder: { record: (step) => this.steps.push(step) },
    clock: this.clock,
    log: silentLogger,
    wanted: () => Promise.resolve(this.wanted),
  });
  readonly #stop = new AbortController();
  readonly #running = this.loop.run(this.#stop.signal);

  constructor() {
    this.#running.catch(() => {});
  }

  shares(path: string): bigint | undefined {
    return this.cgroups.values.get(path)?.cpuShares;
  }

  async end(): Promise<void> {
    this.#stop.abort(new DOMException("over", "AbortError"));
    await this.#running.catch(() => {});
  }
}

function story(name: string, fn: (run: Run) => Promise<void>): void {
  Deno.test(`CgroupLoop ${name}`, async () => {
    const run = new Run();
    try {
      await run.clock.advance(0);
      await fn(run);
    } finally {
      await run.end();
    }
  });
}

story("makes the tree and says so once", async (run) => {
  assert.equal(run.shares(TOP), 2048n);
  assert.equal(run.shares(BURSTABLE), 2n);
  await run.clock.advance(300_000);
  assert.deepEqual(run.steps, [{
    type: "Normal",
    reason: "NodeAllocatableEnforced",
    message: "Updated Node Allocatable limit across pods",
  }]);
});

story("follows pods soon, and several at once", async (run) => {
  run.wanted = tree(512n);
  run.loop.wake();
  await run.clock.advance(999);
  assert.equal(run.shares(BURSTABLE), 2n, "not before the others are known");
  await run.clock.advance(1);
  assert.equal(run.shares(BURSTABLE), 512n);
});

story("never makes a pod's cgroup, but keeps its values", async (run) => {
  assert.equal(run.cgroups.present.has(POD), false);
  run.cgroups.present.add(POD);
  await run.clock.advance(60_000);
  assert.equal(run.shares(POD), 102n);
});

story("sets again what somebody else has changed", async (run) => {
  run.cgroups.values.set(TOP, { cpuShares: 2n });
  run.cgroups.present.delete(BURSTABLE);
  await run.clock.advance(60_000);
  assert.equal(run.shares(TOP), 2048n);
  assert.equal(run.cgroups.present.has(BURSTABLE), true);
});

story("waits until it is known what is wanted", async (run) => {
  run.cgroups.values.clear();
  run.wanted = undefined;
  await run.clock.advance(60_000);
  assert.equal(run.shares(TOP), undefined);
  run.wanted = tree();
  run.loop.wake();
  await run.clock.advance(1_000);
  assert.equal(run.shares(TOP), 2048n);
});

Deno.test("CgroupLoop tells of a limit below what is used, and tries again", async () => {
  const run = new Run();
  run.cgroups.full.add(TOP);
  try {
    await run.clock.advance(130_000);
    assert.equal(run.shares(TOP), 2048n, "the rest is set");
    assert.equal(run.cgroups.values.get(TOP)?.memoryLimitBytes, undefined);
    run.cgroups.full.delete(TOP);
    await run.clock.advance(60_000);
    assert.equal(run.cgroups.values.get(TOP)?.memoryLimitBytes, 1_000n);
    assert.deepEqual(
      run.steps.map(({ type, message }) => `${type} ${message}`),
      [
        'Warning Failed to update Node Allocatable Limits ["kubepods"]: ' +
        "memory: in use",
        "Normal Updated Node Allocatable limit across pods",
      ],
    );
  } finally {
    await run.end();
  }
});

Deno.test("CgroupLoop keeps the rest where one cannot be made", async () => {
  const run = new Run();
  run.cgroups.broken.add(TOP);
  try {
    await run.clock.advance(0);
    assert.equal(run.shares(BURSTABLE), 2n);
    assert.equal(run.steps[0]?.reason, "FailedNodeAllocatableEnforcement");
  } finally {
    await run.end();
  }
});
