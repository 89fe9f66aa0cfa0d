import assert from "node:assert/strict";
import type { CgroupValues } from "../port/cgroups.ts";
import { sliceBasics, sliceOf, sliceValues } from "./slice_properties.ts";

Deno.test("sliceOf() is the last part, when it is a slice", () => {
  const pod = "kubepods.slice/kubepods-burstable.slice/kubepods-x.slice";
  assert.equal(sliceOf(pod), "kubepods-x.slice");
  assert.equal(sliceOf("kubepods/burstable/podx"), undefined);
});

Deno.test("sliceBasics() wants the parent, where there is one", () => {
  const wants = (path: string) =>
    sliceBasics(path).find(({ name }) => name === "Wants")?.value.value;
  assert.deepEqual(wants("a.slice/a-b.slice"), ["a.slice"]);
  assert.equal(wants("a.slice"), undefined);
});

const CASES: readonly {
  readonly version: 1 | 2;
  readonly values: CgroupValues;
  readonly said: string;
}[] = [
  { version: 2, values: {}, said: "" },
  { version: 2, values: { cpuShares: 102n }, said: "CPUWeight=4" },
  { version: 1, values: { cpuShares: 102n }, said: "CPUShares=102" },
  { version: 2, values: { memoryLimitBytes: 5n }, said: "MemoryMax=5" },
  { version: 1, values: { memoryLimitBytes: 5n }, said: "MemoryLimit=5" },
  {
    version: 2,
    values: { memoryMinBytes: 1n, memoryLowBytes: 2n },
    said: "MemoryMin=1 MemoryLow=2",
  },
  { version: 1, values: { memoryMinBytes: 1n }, said: "" },
  { version: 2, values: { pidsLimit: 7n }, said: "TasksMax=7" },
  {
    version: 2,
    values: { pidsLimit: -1n },
    said: "TasksMax=18446744073709551615",
  },
  {
    version: 2,
    values: { cpuQuotaUs: -1n },
    said: "CPUQuotaPerSecUSec=18446744073709551615",
  },
  {
    version: 2,
    values: { cpuQuotaUs: 10_000n, cpuPeriodUs: 100_000n },
    said: "CPUQuotaPeriodUSec=100000 CPUQuotaPerSecUSec=100000",
  },
  {
    // 1.25 percent are 2 for systemd.
    version: 2,
    values: { cpuQuotaUs: 1_250n },
    said: "CPUQuotaPeriodUSec=100000 CPUQuotaPerSecUSec=20000",
  },
  { version: 2, values: { hugePageLimits: new Map([[1n, 0n]]) }, said: "" },
];

for (const { version, values, said } of CASES) {
  Deno.test(`sliceValues() of version ${version} is ${said || "nothing"}`, () => {
    const words = sliceValues(version, values)
      .map(({ name, value }) => `${name}=${value.value}`);
    assert.equal(words.join(" "), said);
  });
}
