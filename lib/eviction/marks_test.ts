import assert from "node:assert/strict";
import { aUse } from "../../tests/fakes/fake_usage.ts";
import { aThreshold, MI } from "./fixture_test.ts";
import { memoryMarks } from "./marks.ts";
import type { Measured } from "./measure.ts";

const NANO = 1_000_000_000n;

function used(usageMi: bigint, workingSetMi: bigint, limitMi?: bigint) {
  const { memory, ...rest } = aUse(0);
  assert.ok(memory);
  return {
    ...rest,
    memory: {
      ...memory,
      usageBytes: usageMi * MI,
      workingSetBytes: workingSetMi * MI,
      ...limitMi === undefined ? {} : { limitBytes: limitMi * MI },
    },
  };
}

function measured(own: Partial<Measured> = {}): Measured {
  return {
    node: used(500n, 300n),
    allPods: used(90n, 90n, 400n),
    allPodsPath: "/kubepods",
    memoryBytes: 1_000n * MI,
    root: undefined,
    images: undefined,
    containers: undefined,
    processes: undefined,
    atMs: 0,
    ...own,
  };
}

const of = (signal: "memory.available" | "allocatableMemory.available") =>
  aThreshold({
    signal,
    value: { kind: "quantity", quantity: 100n * MI * NANO, form: "binary" },
  });

Deno.test("memoryMarks() adds the file pages that can be dropped", () => {
  const marks = memoryMarks(
    [
      of("memory.available"),
      of("allocatableMemory.available"),
      aThreshold({ signal: "nodefs.available" }),
    ],
    measured(),
  );
  assert.deepEqual(marks, [
    { cgroup: "/", usageBytes: (1_000n - 100n + 200n) * MI },
    { cgroup: "/kubepods", usageBytes: (400n - 100n) * MI },
  ]);
});

Deno.test("memoryMarks() leaves out what was not measured, and no mark", () => {
  const both = [of("memory.available"), of("allocatableMemory.available")];
  const found = memoryMarks(both, measured({ allPods: undefined }));
  assert.equal(found.length, 1);
  const share = aThreshold({ value: { kind: "share", percent: 150 } });
  const unused = measured({ node: used(0n, 0n) });
  assert.deepEqual(memoryMarks([share], unused), []);
});
