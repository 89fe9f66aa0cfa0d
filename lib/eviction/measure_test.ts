import assert from "node:assert/strict";
import { A_FILESYSTEM, aUse } from "../../tests/fakes/fake_usage.ts";
import { judge, layoutOf, type Measured } from "./measure.ts";

const NOW_MS = 1_000_000;
const MEMORY = aUse(NOW_MS).memory;

function measured(own: Partial<Measured> = {}): Measured {
  return {
    node: aUse(NOW_MS),
    allPods: undefined,
    allPodsPath: "",
    memoryBytes: 5_000_000n,
    root: A_FILESYSTEM,
    images: undefined,
    containers: undefined,
    processes: { count: 10n, limit: 1_000n },
    atMs: NOW_MS,
    ...own,
  };
}

function told(own: Partial<Measured> = {}): string[] {
  const { observations, unknown } = judge(measured(own), NOW_MS);
  return [
    ...[...observations].map(([signal, { available, capacity }]) =>
      `${signal} ${available}/${capacity}`
    ),
    ...[...unknown].map((each) => each.join(" "))
      .filter((each) => !each.endsWith("could not be measured")),
  ];
}

Deno.test("judge() tells what is available of what", () => {
  assert.deepEqual(told(), [
    "memory.available 4000000/5000000",
    "nodefs.available 600000/1000000",
    "nodefs.inodesFree 900/1000",
    "pid.available 990/1000",
  ]);
});

Deno.test("judge() sets the pods' memory off against their limit", () => {
  assert.ok(MEMORY);
  const of = (limitBytes: bigint) =>
    aUse(NOW_MS, { memory: { ...MEMORY, limitBytes } });
  const nothing = { root: undefined, node: undefined, processes: undefined };
  assert.deepEqual(told({ ...nothing, allPods: of(3_000_000n) }), [
    "allocatableMemory.available 2000000/3000000",
  ]);
  // As version 1 writes that there is none.
  assert.deepEqual(told({ ...nothing, allPods: of(2n ** 63n) }), [
    "allocatableMemory.available 4000000/5000000",
  ]);
  // Used beyond the limit: nothing is left, not less.
  assert.deepEqual(told({ ...nothing, allPods: of(1n) }), [
    "allocatableMemory.available 0/1",
  ]);
});

Deno.test("judge() leaves out what cannot be, with a word", () => {
  const nothing = {
    node: undefined,
    root: undefined,
    processes: undefined,
  };
  const cases: readonly [Partial<Measured>, string[]][] = [
    [{}, []],
    [
      { processes: { count: 20n, limit: 10n } },
      ["pid.available has -10 available"],
    ],
    [
      { processes: { count: 0n, limit: 0n } },
      ["pid.available has a capacity of 0"],
    ],
    [
      { root: { ...A_FILESYSTEM, availableBytes: 2_000_000n, inodes: 0n } },
      ["nodefs.available has 2000000 available of only 1000000"],
    ],
    [
      { node: aUse(NOW_MS - 61_000) },
      ["memory.available was measured 61 s ago"],
    ],
  ];
  for (const [own, expected] of cases) {
    assert.deepEqual(told({ ...nothing, ...own }), expected);
  }
});

Deno.test("layoutOf() compares the devices, once all are known", () => {
  const on = (device: bigint) => ({ ...A_FILESYSTEM, device });
  const of = (images?: bigint, containers?: bigint) =>
    layoutOf({
      root: on(1n),
      images: images === undefined ? undefined : on(images),
      containers: containers === undefined ? undefined : on(containers),
    });
  assert.equal(of(), undefined);
  assert.equal(of(1n, 1n), "one");
  assert.equal(of(2n), undefined);
  assert.equal(of(2n, 2n), "apart");
  assert.equal(of(2n, 1n), "split");
});

Deno.test("judge() names what is not there though it should be", () => {
  const missing = (
    own: Partial<Measured>,
  ) => [...judge(measured(own), NOW_MS).unknown.keys()];
  const images = A_FILESYSTEM;
  const containers = A_FILESYSTEM;
  assert.deepEqual(missing({ images, containers }), []);
  // Such file systems have no fixed number of inodes: nobody misses it.
  const root = { ...A_FILESYSTEM, inodes: 0n };
  assert.deepEqual(missing({ images, containers, root }), []);
  assert.deepEqual(
    missing({ node: undefined, root: undefined, images, containers }),
    ["memory.available", "nodefs.available", "nodefs.inodesFree"],
  );
  assert.deepEqual(
    missing({ images, containers, allPodsPath: "/kubepods" }),
    ["allocatableMemory.available"],
  );
});
