import assert from "node:assert/strict";
import type { Step } from "../api/step.ts";
import { silentLogger } from "../base/log.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { FakeCgroups } from "../../tests/fakes/fake_cgroups.ts";
import { CgroupLoop, type WantedCgroups } from "./cgroups.ts";
import type { ReservedCgroup } from "./reserved.ts";

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
    reserved: [],
    classes: [{ path: BURSTABLE, values: { cpuShares: burstable } }],
    pods: [{ path: POD, values: () => ({ cpuShares: 102n }) }],
  };
}

class Run {
  readonly clock = new FakeClock();
  readonly cgroups = new FakeCgroups();
  readonly steps: Step[] = [];
  wanted: WantedCgroups | undefined = tree();
  obstacle: string | undefined;
  readonly loop = new CgroupLoop({
    cgroups: this.cgroups,
    recorder: { record: (step) => this.steps.push(step) },
    clock: this.clock,
    log: silentLogger,
    wanted: () => Promise.resolve(this.wanted),
    obstacle: () => Promise.resolve(this.obstacle),
  });
  readonly #stop = new AbortController();
  readonly ended: Promise<void>;

  constructor(prepare: (run: Run) => void = () => {}) {
    prepare(this);
    this.ended = this.loop.run(this.#stop.signal);
    this.ended.catch(() => {});
  }

  shares(path: string): bigint | undefined {
    return this.cgroups.values.get(path)?.cpuShares;
  }

  async end(): Promise<void> {
    this.#stop.abort(new DOMException("over", "AbortError"));
    await this.ended.catch(() => {});
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

story("asks what a pod is to have just before it is set", async (run) => {
  let shares: bigint | undefined = 102n;
  const values = () => shares === undefined ? undefined : { cpuShares: shares };
  run.wanted = { ...tree(4n), pods: [{ path: POD, values }] };
  run.cgroups.present.add(POD);
  const apply = run.cgroups.apply.bind(run.cgroups);
  run.cgroups.apply = (path, ...rest) => {
    // Somebody else has set it since then.
    if (path === BURSTABLE) shares = undefined;
    return apply(path, ...rest);
  };
  run.loop.wake();
  await run.clock.advance(1_000);
  assert.equal(run.shares(BURSTABLE), 4n);
  assert.equal(run.shares(POD), undefined);
  shares = 204n;
  run.loop.wake();
  await run.clock.advance(2_000);
  assert.equal(run.shares(POD), 204n);
});

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

const RESERVED: ReservedCgroup = {
  owner: "kube",
  configured: "/kube.slice",
  title: "Kube Reserved",
  name: '["kube"]',
  wanted: {
    path: "/kube.slice",
    values: { cpuShares: 512n, memoryLimitBytes: 1_000n },
  },
};
const ENFORCED = "Normal Updated limits on kube reserved cgroup /kube.slice";

function withReserved(run: Run): void {
  run.cgroups.present.add("/kube.slice");
  run.wanted = { ...tree(), reserved: [RESERVED] };
}

/** Why the loop ended, with what it has told of what is reserved. */
async function refused(
  prepare: (run: Run) => void,
): Promise<{ readonly error: string; readonly told: readonly string[] }> {
  const run = new Run(prepare);
  await run.clock.advance(0);
  await run.clock.advance(2_000);
  const error = await run.ended.then(() => "", ({ message }) => message);
  return { error, told: toldOf(run) };
}

function toldOf({ steps }: Run): string[] {
  return steps.map(({ type, message }) => `${type} ${message}`)
    .filter((line) => !line.endsWith("limit across pods"));
}

Deno.test("CgroupLoop begins only where nothing is in the way", async () => {
  const { error, told } = await refused((run) => {
    run.obstacle = "more is reserved than there is";
  });
  assert.equal(error, "Cannot start: more is reserved than there is");
  assert.deepEqual(told, []);
});

Deno.test("CgroupLoop ends where a reserved cgroup is not there", async () => {
  const missing = await refused((run) => {
    run.wanted = { ...tree(), reserved: [RESERVED] };
  });
  const why = 'Failed to enforce Kube Reserved Cgroup Limits on "/kube.slice"' +
    ': cgroup ["kube"] has some missing paths: /sys/fs/cgroup/kube.slice';
  assert.equal(missing.error, `Cannot start: ${why}`);
  assert.deepEqual(missing.told, [`Warning ${why}`]);
  const senseless = await refused((run) => {
    const wanted = '["kube"] cgroup is not configured properly';
    run.wanted = { ...tree(), reserved: [{ ...RESERVED, wanted }] };
  });
  assert.match(senseless.error, /cgroup is not configured properly$/);
});

Deno.test("CgroupLoop limits what is reserved, and again when it was changed", async () => {
  const run = new Run(withReserved);
  try {
    await run.clock.advance(0);
    assert.equal(run.shares("/kube.slice"), 512n);
    run.cgroups.values.set("/kube.slice", { cpuShares: 2n });
    await run.clock.advance(60_000);
    assert.equal(run.shares("/kube.slice"), 512n);
    assert.deepEqual(toldOf(run), [ENFORCED], "once");
    // Somebody took it away: that ends no agent that has begun.
    run.cgroups.present.delete("/kube.slice");
    await run.clock.advance(120_000);
    assert.equal(run.loop.failures.length, 1);
    run.cgroups.present.add("/kube.slice");
    await run.clock.advance(60_000);
    assert.deepEqual(run.loop.failures, []);
    assert.match(toldOf(run)[1] ?? "", /^Warning Failed to enforce Kube/);
    assert.deepEqual(toldOf(run).slice(2), [ENFORCED]);
  } finally {
    await run.end();
  }
});

Deno.test("CgroupLoop goes on where the host refuses a reserved limit", async () => {
  const run = new Run(withReserved);
  run.cgroups.full.add("/kube.slice");
  try {
    await run.clock.advance(0);
    assert.equal(run.shares("/kube.slice"), 512n, "the rest is set");
    assert.equal(run.shares(BURSTABLE), 2n);
    assert.deepEqual(run.loop.failures, ["/kube.slice: memory: in use"]);
    assert.deepEqual(toldOf(run), [
      "Warning Failed to enforce Kube Reserved Cgroup Limits on " +
      '"/kube.slice": memory: in use',
    ]);
    run.cgroups.full.clear();
    await run.clock.advance(60_000);
    assert.deepEqual(run.loop.failures, []);
  } finally {
    await run.end();
  }
});

Deno.test("CgroupLoop limits nothing above pods where that is the root", async () => {
  const run = new Run((before) => {
    before.wanted = { ...tree(), top: undefined, classes: [] };
  });
  try {
    await run.clock.advance(0);
    assert.equal(run.cgroups.present.size, 0);
    assert.deepEqual(run.steps, []);
  } finally {
    await run.end();
  }
});
