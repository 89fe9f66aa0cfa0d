import assert from "node:assert/strict";
import { aUsePod, MI, type UseParts } from "./fixture_test.ts";
import { aContainer, aPod } from "../../tests/build.ts";
import type { V1PodSpec } from "../api/types.ts";
import { rankedText } from "./message.ts";
import { partsOf, rank, requestOf } from "./rank.ts";
import type { PodUse } from "./types.ts";

function order(uses: readonly PodUse[], signal = "memory.available" as const) {
  return rank(uses, signal, "one").map(({ use }) => use.uid as string);
}

const uses = (...list: readonly UseParts[]) => list.map(aUsePod);

Deno.test("rank() of memory: above requests, then priority, then excess", () => {
  const found = order(uses(
    { name: "within", request: "9Mi", memoryBytes: 9n * MI },
    { name: "low-small", priority: -5, memoryBytes: MI },
    { name: "high", priority: 9, memoryBytes: 900n * MI },
    { name: "over-a-little", request: "8Mi", memoryBytes: 9n * MI },
    { name: "over-a-lot", request: "1Mi", memoryBytes: 9n * MI },
    { name: "within-low", request: "9Mi", priority: -9, memoryBytes: MI },
  ));
  assert.deepEqual(found, [
    "low-small",
    "over-a-lot",
    "over-a-little",
    "high",
    "within-low",
    "within",
  ]);
});

Deno.test("rank() never names critical pods, nor those not measured", () => {
  assert.deepEqual(
    order(uses(
      { name: "critical", priority: 2_000_000_000, memoryBytes: 99n * MI },
      { name: "unmeasured" },
      { name: "web", memoryBytes: MI },
    )),
    ["web"],
  );
});

Deno.test("rank() of processes: priority, then the count", () => {
  const found = rank(
    uses(
      { name: "few", processes: 2n, request: "1Mi" },
      { name: "many", processes: 900n, request: "900Mi" },
      { name: "low", processes: 1n, priority: -1 },
    ),
    "pid.available",
    "one",
  );
  assert.deepEqual(found.map(({ use }) => use.uid as string), [
    "low",
    "many",
    "few",
  ]);
});

Deno.test("rank() of inodes sets off what disk was asked for, as upstream", () => {
  const data = (inodes: bigint) =>
    new Map([["data", { bytes: 0n, inodes, isOnDisk: true }]]);
  const small = aUsePod({ name: "small", volumes: data(256n) });
  const large = aUsePod({ name: "large", volumes: data(512n) });
  const asking = (name: string, inodes: bigint, request: string) => {
    const use = aUsePod({ name, volumes: data(inodes) });
    const requests = { "ephemeral-storage": request };
    const containers = [aContainer({ resources: { requests } })];
    const { metadata = {} } = use.pod;
    return { ...use, pod: { ...aPod({ containers }), metadata } };
  };
  const all = [
    asking("within", 480n, "30Mi"),
    small,
    asking("above", 448n, "4Mi"),
    large,
  ];
  const found = rank(all, "nodefs.inodesFree", "one");
  assert.deepEqual(found.map(({ use }) => use.uid as string), [
    "large",
    "small",
    "above",
    "within",
  ]);
  assert.match(
    found.map((each) => rankedText(each, "inodes")).join("\n"),
    /above: uses 448.*priority 0, later for the 4Mi of disk that it asked for/,
  );
});

Deno.test("rank() counts of a disk what lies on it", () => {
  const disk = (mi: bigint) => ({ bytes: mi * MI, inodes: mi });
  const all = uses(
    {
      name: "layer",
      containers: [{
        name: "app",
        memoryBytes: 0n,
        layer: disk(9n),
        logs: disk(0n),
      }],
    },
    {
      name: "logs",
      containers: [{
        name: "app",
        memoryBytes: 0n,
        layer: disk(1n),
        logs: disk(5n),
      }],
    },
    {
      name: "volume",
      volumes: new Map([
        ["data", { ...disk(7n), isOnDisk: true }],
        ["shm", { ...disk(99n), isOnDisk: false }],
      ]),
    },
  );
  const first = (
    signal: Parameters<typeof rank>[1],
    layout: Parameters<typeof rank>[2],
  ) => {
    const [found] = rank(all, signal, layout);
    return `${found?.use.uid} ${(found?.used ?? 0n)}`;
  };
  assert.equal(first("nodefs.inodesFree", "one"), "layer 9");
  assert.equal(first("imagefs.inodesFree", "one"), "layer 9");
  assert.equal(first("nodefs.inodesFree", "apart"), "volume 7");
  assert.equal(first("imagefs.inodesFree", "apart"), "layer 9");
  assert.equal(first("containerfs.inodesFree", "apart"), "layer 9");
  assert.equal(first("nodefs.available", "split"), `layer ${9n * MI}`);
  assert.deepEqual(partsOf("imagefs.available", "split"), {
    layers: false,
    logs: false,
    volumes: false,
  });
});

Deno.test("rank() is a total order that does not depend on the input's", () => {
  const random = lcg(42);
  for (let round = 0; round < 200; round++) {
    const all = Array.from({ length: 8 }, (_, index) =>
      aUsePod({
        name: `p${index}`,
        priority: random() % 3,
        request: `${random() % 3}Mi`,
        memoryBytes: BigInt(random() % 4) * MI,
      }));
    const shuffled = [...all].sort(() => (random() % 3) - 1);
    const expected = order(all);
    assert.deepEqual(order(shuffled), expected);
    assert.equal(new Set(expected).size, all.length);
    // Without the first the rest stays as it is.
    const rest = all.filter(({ uid }) => uid !== expected[0]);
    assert.deepEqual(order(rest), expected.slice(1));
  }
});

/** Numbers that are the same in every run. */
function lcg(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state >> 8;
  };
}

Deno.test("requestOf() hears the pod as a whole before its containers", () => {
  const table: [string, Partial<V1PodSpec>, bigint, bigint][] = [
    ["containers", {}, 2n * MI, 3n * MI],
    [
      "overhead of what is asked for",
      {
        overhead: { memory: "1Mi", "ephemeral-storage": "1Mi" },
      },
      3n * MI,
      4n * MI,
    ],
    ["the pod", { resources: { requests: { memory: "8Mi" } } }, 8n * MI, 0n],
    [
      "the pod, with overhead",
      {
        resources: { requests: { memory: "8Mi" } },
        overhead: { memory: "1Mi", "ephemeral-storage": "1Mi" },
      },
      9n * MI,
      0n,
    ],
    [
      "only a limit for the pod",
      {
        resources: { limits: { cpu: "1" } },
      },
      0n,
      0n,
    ],
    ["nothing for the pod", { resources: {} }, 2n * MI, 3n * MI],
  ];
  const requests = { memory: "2Mi", "ephemeral-storage": "3Mi" };
  const containers = [aContainer({ resources: { requests } })];
  for (const [name, spec, memory, disk] of table) {
    const pod = aPod({ containers, spec });
    assert.equal(requestOf(pod, "memory"), memory, name);
    assert.equal(requestOf(pod, "ephemeral-storage"), disk, name);
    assert.equal(requestOf(pod, "pids"), 0n);
  }
});
