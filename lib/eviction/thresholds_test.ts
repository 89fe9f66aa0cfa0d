import assert from "node:assert/strict";
import { aThreshold, MI } from "./fixture_test.ts";
import {
  amountText,
  countText,
  parseThresholds,
  quantityOf,
  thresholdText,
  withContainerDisk,
} from "./thresholds.ts";
import type { Amount } from "./types.ts";

type Texts = Readonly<Record<string, string>>;

function parsed(own: {
  hard?: Texts;
  soft?: Texts;
  grace?: Texts;
  reclaim?: Texts;
  enforced?: readonly string[];
}): string[] {
  const map = (texts: Texts = {}) => new Map(Object.entries(texts));
  return parseThresholds({
    evictionHard: map(own.hard),
    evictionSoft: map(own.soft),
    evictionSoftGracePeriod: map(own.grace),
    evictionMinimumReclaim: map(own.reclaim),
    enforceNodeAllocatable: own.enforced ?? [],
  }).map((each) => {
    const { minReclaim } = each;
    return thresholdText(each) +
      (minReclaim === undefined ? "" : `+${amountText(minReclaim, 1000n)}`);
  });
}

Deno.test("parseThresholds() reads hard and soft, amounts and shares", () => {
  const cases: readonly [Parameters<typeof parsed>[0], string[]][] = [
    [{}, []],
    [{ hard: { "memory.available": "150Mi" } }, ["memory.available<150Mi"]],
    [{ hard: { "nodefs.available": "7.5%" } }, ["nodefs.available<7.5%"]],
    [{ hard: { "memory.available": "0%", "nodefs.available": "100%" } }, []],
    [
      { soft: { "pid.available": "1k" }, grace: { "pid.available": "1m30s" } },
      ["pid.available<1k for 90 s"],
    ],
    // Checked before; a guess would be worse than none.
    [{ soft: { "pid.available": "1k" } }, []],
    [{ hard: { "nope.available": "1k" } }, []],
    [
      {
        hard: { "nodefs.inodesFree": "5%" },
        reclaim: { "nodefs.inodesFree": "1%" },
      },
      // 1 % in 32 bits is a little less.
      ["nodefs.inodesFree<5%+9"],
    ],
  ];
  for (const [config, expected] of cases) {
    assert.deepEqual(parsed(config), expected);
  }
});

Deno.test("parseThresholds() asks the same of the pods' own memory", () => {
  const hard = { "memory.available": "100Mi", "nodefs.available": "1%" };
  const soft = { "memory.available": "200Mi" };
  const grace = { "memory.available": "1s" };
  assert.deepEqual(parsed({ hard, soft, grace, enforced: ["pods"] }), [
    "memory.available<100Mi",
    "nodefs.available<1%",
    "memory.available<200Mi for 1 s",
    "allocatableMemory.available<100Mi",
  ]);
  assert.equal(parsed({ hard, enforced: ["none"] }).length, 2);
});

Deno.test("withContainerDisk() asks of layers what is asked of their disk", () => {
  const all = [
    aThreshold({ signal: "nodefs.available" }),
    aThreshold({ signal: "imagefs.inodesFree", graceMs: 1 }),
    aThreshold({ signal: "containerfs.available" }),
  ];
  const signals = (layout: "one" | "apart" | "split") =>
    withContainerDisk(all, layout).slice(2).map(({ signal, graceMs }) =>
      `${signal} ${graceMs}`
    );
  assert.deepEqual(signals("one"), ["containerfs.available 0"]);
  assert.deepEqual(signals("split"), ["containerfs.available 0"]);
  assert.deepEqual(signals("apart"), ["containerfs.inodesFree 1"]);
});

Deno.test("quantityOf() computes shares as upstream does", () => {
  const share = (percent: number): Amount => ({ kind: "share", percent });
  const cases: readonly [number, bigint, bigint][] = [
    [10, 1_000n, 100n],
    // 0.15 in 32 bits is a little more than 0.15.
    [15, 1_000_000_000_000n, 150_000_005_960n],
    [0, 1_000n, 0n],
  ];
  for (const [percent, capacity, expected] of cases) {
    assert.equal(quantityOf(share(percent), capacity), expected * 10n ** 9n);
  }
  assert.equal(amountText(share(50), 4n * MI), "2Mi");
});

Deno.test("countText() writes bytes in powers of 1024, others of 1000", () => {
  assert.equal(countText("memory", 1536n * 1024n), "1536Ki");
  assert.equal(countText("memory", 1537n), "1537");
  assert.equal(countText("inodes", 12_000n), "12k");
  assert.equal(countText("pids", 0n), "0");
});
