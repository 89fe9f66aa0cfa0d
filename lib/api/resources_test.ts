import assert from "node:assert/strict";
import { aContainer } from "../../tests/build.ts";
import { cpuAndMemory } from "./resources.ts";
import type { V1ResourceRequirements } from "./types.ts";

const PERIOD_US = 100_000n;

const of = (resources: V1ResourceRequirements, period?: bigint) =>
  cpuAndMemory(aContainer({ resources }), period);

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
