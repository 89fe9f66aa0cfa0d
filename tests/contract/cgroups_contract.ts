/**
 * What every `Cgroups` promises. Run on the fake always and on a real machine
 * below the cgroup of a scratch world.
 */
import assert from "node:assert/strict";
import { AgentError } from "../../lib/base/errors.ts";
import type { Cgroups, CgroupValues } from "../../lib/port/host.ts";
import { testPromises } from "./promises.ts";

export interface CgroupsWorld {
  readonly cgroups: Cgroups;
  /** A path that nobody else uses; nothing is there. */
  readonly root: string;
  isPresent(path: string): Promise<boolean>;
  /** What a cgroup has of these values, in the terms of the kernel. */
  has(path: string, values: CgroupValues): Promise<boolean>;
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
