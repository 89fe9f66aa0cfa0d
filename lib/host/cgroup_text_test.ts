import assert from "node:assert/strict";
import type { CgroupValues } from "../port/cgroups.ts";
import { cgroupWrites, cpuWeight, isSet } from "./cgroup_text.ts";

function texts(version: 1 | 2, values: CgroupValues): string[] {
  return cgroupWrites(version, values)
    .map(({ controller, file, text }) => `${controller} ${file}=${text}`);
}

Deno.test("cpuWeight() goes from shares to weights in a straight line", () => {
  const table: [bigint, bigint][] = [
    [2n, 1n],
    [3n, 1n],
    [102n, 4n],
    [512n, 20n],
    [1024n, 39n],
    [2048n, 79n],
    [262_143n, 9_999n],
    [262_144n, 10_000n],
    [300_000n, 10_000n],
  ];
  for (const [shares, weight] of table) {
    assert.equal(cpuWeight(shares), weight, `${shares} shares`);
  }
});

const FULL: CgroupValues = {
  cpuShares: 1024n,
  cpuQuotaUs: 50_000n,
  cpuPeriodUs: 100_000n,
  memoryLimitBytes: 1_048_576n,
  pidsLimit: 100n,
  hugePageLimits: new Map([[2_097_152n, 4_194_304n]]),
};

Deno.test("cgroupWrites() knows the files of version 1", () => {
  assert.deepEqual(texts(1, FULL), [
    "cpu cpu.shares=1024",
    "cpu cpu.cfs_period_us=100000",
    "cpu cpu.cfs_quota_us=50000",
    "memory memory.limit_in_bytes=1048576",
    "pids pids.max=100",
    "hugetlb hugetlb.2MB.limit_in_bytes=4194304",
    "hugetlb hugetlb.2MB.rsvd.limit_in_bytes=4194304",
  ]);
  assert.deepEqual(texts(1, { cpuQuotaUs: -1n }), ["cpu cpu.cfs_quota_us=-1"]);
});

Deno.test("cgroupWrites() knows the files of version 2", () => {
  assert.deepEqual(texts(2, FULL), [
    "cpu cpu.weight=39",
    "cpu cpu.max=50000 100000",
    "memory memory.max=1048576",
    "pids pids.max=100",
    "hugetlb hugetlb.2MB.max=4194304",
    "hugetlb hugetlb.2MB.rsvd.max=4194304",
  ]);
  assert.deepEqual(texts(2, { cpuQuotaUs: -1n }), ["cpu cpu.max=max 100000"]);
  assert.deepEqual(texts(2, { pidsLimit: -1n }), ["pids pids.max=max"]);
  assert.deepEqual(texts(2, {}), []);
});

Deno.test("isSet() knows that the kernel keeps whole pages", () => {
  const [memory] = cgroupWrites(2, { memoryLimitBytes: 10_000n });
  const [shares] = cgroupWrites(1, { cpuShares: 10_000n });
  assert.ok(memory !== undefined && shares !== undefined);
  assert.equal(isSet("8192\n", memory), true);
  assert.equal(isSet("10000\n", memory), true);
  assert.equal(isSet("12288\n", memory), false);
  assert.equal(isSet("max\n", memory), false);
  assert.equal(isSet("8192\n", shares), false);
});

Deno.test("cgroupWrites() keeps memory on version 2 only, before it limits", () => {
  const kept: CgroupValues = {
    memoryMinBytes: 4096n,
    memoryLowBytes: 0n,
    memoryLimitBytes: 8192n,
  };
  assert.deepEqual(texts(2, kept), [
    "memory memory.min=4096",
    "memory memory.low=0",
    "memory memory.max=8192",
  ]);
  assert.deepEqual(texts(1, kept), ["memory memory.limit_in_bytes=8192"]);
  const optional = cgroupWrites(2, kept).map((each) => each.isOptional);
  assert.deepEqual(optional, [undefined, true, undefined]);
});

Deno.test("cgroupWrites() knows where use stands that a limit may become", () => {
  const files = (version: 1 | 2, values: CgroupValues) =>
    cgroupWrites(version, values).map(({ orUseIn }) => orUseIn);
  const soft: CgroupValues = { memoryLimitBytes: 1n, mayLimitToUse: true };
  assert.deepEqual(files(1, soft), ["memory.usage_in_bytes"]);
  assert.deepEqual(files(2, soft), ["memory.current"]);
  assert.deepEqual(files(2, { memoryLimitBytes: 1n }), [undefined]);
});

Deno.test("cgroupWrites() has one process where none is allowed", () => {
  // Compat: libcontainer: systemd knows no 0.
  assert.deepEqual(texts(2, { pidsLimit: 0n }), ["pids pids.max=1"]);
});
