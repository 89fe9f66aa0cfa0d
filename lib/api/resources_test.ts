import assert from "node:assert/strict";
import { aContainer, aPod } from "../../tests/build.ts";
import { cpuAndMemory, hugePageLimits } from "./resources.ts";
import type { V1ResourceRequirements } from "./types.ts";

const PERIOD_US = 100_000n;

const of = (resources: V1ResourceRequirements, period?: bigint) =>
  cpuAndMemory(aPod(), aContainer({ resources }), period);

Deno.test("cpuAndMemory() turns requests into shares", () => {
  const shares = (own: V1ResourceRequirements) => of(own, PERIOD_US).cpuShares;
  assert.equal(shares({}), 2n);
  assert.equal(shares({ requests: { cpu: "1m" } }), 2n);
  assert.equal(shares({ requests: { cpu: "500m" } }), 512n);
  assert.equal(shares({ requests: { cpu: "2" } }), 2048n);
  assert.equal(shares({ requests: { cpu: "1000" } }), 262_144n);
  assert.equal(shares({ limits: { cpu: "2" } }), 2048n, "from the limit");
  assert.equal(shares({ requests: { cpu: "0" }, limits: { cpu: "2" } }), 2n);
});

Deno.test("cpuAndMemory() turns limits into a quota of at least 1 ms", () => {
  const quota = (cpu: string, period?: bigint) =>
    of({ limits: { cpu } }, period).cpuQuotaUs;
  assert.equal(quota("1500m", PERIOD_US), 150_000n);
  assert.equal(quota("1m", PERIOD_US), 1_000n);
  assert.equal(quota("500m", 10_000n), 5_000n);
  assert.equal(quota("1", undefined), 0n);
  assert.equal(of({ requests: { cpu: "1" } }, PERIOD_US).cpuQuotaUs, 0n);
});

Deno.test("cpuAndMemory() limits memory only when told to", () => {
  const memory = (own: V1ResourceRequirements) =>
    of(own, PERIOD_US).memoryLimitBytes;
  assert.equal(memory({ requests: { memory: "1Gi" } }), 0n);
  assert.equal(memory({ limits: { memory: "1Gi" } }), 1024n ** 3n);
  assert.equal(memory({ limits: { memory: "100m" } }), 1n, "rounded up");
});

Deno.test("cpuAndMemory() takes the pod's limit where there is none", () => {
  const spec = { resources: { limits: { cpu: "2", memory: "1Gi" } } };
  const own = { limits: { cpu: "1" } };
  const pod = aPod({ spec });
  const of = (resources: V1ResourceRequirements) =>
    cpuAndMemory(pod, aContainer({ resources }), PERIOD_US);
  assert.equal(of(own).cpuQuotaUs, 100_000n);
  assert.equal(of(own).memoryLimitBytes, 1024n ** 3n);
  assert.equal(of({}).cpuQuotaUs, 200_000n);
  assert.equal(of({}).cpuShares, 2048n);
  assert.equal(of({ requests: { cpu: "0" } }).cpuShares, 2n);
});

Deno.test("hugePageLimits() names every size, the container's word first", () => {
  const sizes = [65_536n, 2n * 1024n ** 2n, 1024n ** 3n];
  const container = aContainer({
    resources: { limits: { "hugepages-2Mi": "4Mi", cpu: "1" } },
  });
  const limits = { "hugepages-2Mi": "8Mi", "hugepages-1Gi": "1Gi" };
  const of = (spec = {}) => hugePageLimits(aPod({ spec }), container, sizes);
  assert.deepEqual(of(), [
    { pageSize: "64KB", limitBytes: 0n },
    { pageSize: "2MB", limitBytes: 4n * 1024n ** 2n },
    { pageSize: "1GB", limitBytes: 0n },
  ]);
  assert.deepEqual(of({ resources: { limits } }).map((l) => l.limitBytes), [
    0n,
    4n * 1024n ** 2n,
    1024n ** 3n,
  ]);
  assert.deepEqual(hugePageLimits(aPod(), container, []), []);
});
