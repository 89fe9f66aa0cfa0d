/**
 * What every `Cgroups` promises. Run on the fake always and on a real machine
 * below the cgroup of a scratch world.
 */
import assert from "node:assert/strict";
import { AgentError } from "../../lib/base/errors.ts";
import type { Cgroups, CgroupValues } from "../../lib/port/cgroups.ts";
import { testPromises } from "./promises.ts";

export interface CgroupsWorld {
  readonly cgroups: Cgroups;
  /** A path that nobody else uses; nothing is there. */
  readonly root: string;
  isPresent(path: string): Promise<boolean>;
  /** What a cgroup has of these values, in the terms of the kernel. */
  has(path: string, values: CgroupValues): Promise<boolean>;
  /** A process of nobody's, in no cgroup of ours. */
  startProcess(): Promise<{ readonly pid: number; end(): Promise<void> }>;
  close(): Promise<void>;
}

const VALUES: CgroupValues = {
  cpuShares: 512n,
  cpuPeriodUs: 100_000n,
  cpuQuotaUs: 20_000n,
  memoryLimitBytes: 64n * 1024n ** 2n,
  pidsLimit: 100n,
};

export function cgroupsContract(
  name: string,
  make: () => Promise<CgroupsWorld>,
  options: { readonly ignore: boolean } = { ignore: false },
) {
  testPromises({
    title: `Cgroups (${name})`,
    make,
    keep: PROMISES,
    clear: async (world) => {
      await world.cgroups.removePod(world.root);
      await world.close();
    },
    ...options,
  });
}

const PROMISES: Readonly<Record<string, (w: CgroupsWorld) => Promise<void>>> = {
  "make a cgroup with its values, and its parents": async (world) => {
    const { cgroups, root } = world;
    const path = `${root}/burstable/pod-1`;
    assert.deepEqual(await cgroups.apply(path, VALUES, "make"), []);
    assert.equal(await world.isPresent(`${root}/burstable`), true);
    assert.equal(await world.has(path, VALUES), true);
    assert.deepEqual(await cgroups.apply(path, VALUES, "make"), []);
    await cgroups.removePod(path);
    assert.equal(await world.isPresent(path), false);
    assert.equal(await world.isPresent(`${root}/burstable`), true);
  },
  "change what is there and leave the rest": async (world) => {
    const { cgroups, root } = world;
    await cgroups.apply(root, VALUES, "make");
    const less = { cpuShares: 2n, cpuQuotaUs: -1n, pidsLimit: -1n };
    assert.deepEqual(await cgroups.apply(root, less, "leave"), []);
    const { memoryLimitBytes, cpuPeriodUs } = VALUES;
    assert.ok(memoryLimitBytes !== undefined && cpuPeriodUs !== undefined);
    const all = { ...less, cpuPeriodUs, memoryLimitBytes };
    assert.equal(await world.has(root, all), true);
  },
  "leave alone what is not there": async (world) => {
    const path = `${world.root}/pod-2`;
    assert.deepEqual(await world.cgroups.apply(path, VALUES, "leave"), []);
    assert.equal(await world.isPresent(path), false);
    assert.equal(await world.isPresent(world.root), false);
  },
  "move processes in, and tell who is there": async (world) => {
    const { cgroups, root } = world;
    const lack = await cgroups.lackOf(root);
    assert.ok(lack.paths.length > 0);
    assert.ok(lack.paths.every((path) => path.endsWith(root)));
    const process = await world.startProcess();
    try {
      assert.deepEqual(await cgroups.enter(root, [process.pid]), []);
      assert.deepEqual(await cgroups.processesIn(root), [process.pid]);
      assert.deepEqual(await cgroups.enter(root, [process.pid]), []);
      const inside = `${root}/inside`;
      assert.deepEqual(await cgroups.enter(inside, [process.pid]), []);
      assert.deepEqual(await cgroups.processesIn(root), []);
      assert.deepEqual(await cgroups.processesIn(inside), [process.pid]);
    } finally {
      await process.end();
    }
    assert.deepEqual(await cgroups.enter(root, [process.pid]), [], "it ended");
    assert.deepEqual(await cgroups.processesIn(`${root}/inside`), []);
    const whole = { paths: [], controllers: [] };
    assert.deepEqual(await cgroups.lackOf(root), whole);
    assert.deepEqual(await cgroups.lackOf("/"), whole);
  },
  "limit to what is used where a limit may become that": async (world) => {
    const { cgroups, root } = world;
    const process = await world.startProcess();
    const soft = { memoryLimitBytes: 0n, mayLimitToUse: true } as const;
    try {
      await cgroups.enter(root, [process.pid]);
      assert.deepEqual(await cgroups.apply(root, soft, "leave"), []);
    } finally {
      await process.end();
    }
  },
  "refuse the root and what leads out of it": async ({ cgroups, root }) => {
    for (const path of ["", "/", `${root}/../../other`]) {
      await assert.rejects(
        cgroups.apply(path, VALUES, "make"),
        (error: unknown) =>
          error instanceof AgentError && error.next === "give-up",
      );
    }
  },
};
