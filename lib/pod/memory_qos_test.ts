/** Numbers of upstream's own tables, where it has some. */
import assert from "node:assert/strict";
import { qosClass } from "../api/qos.ts";
import type { V1Pod, V1PodSpec, V1ResourceRequirements } from "../api/types.ts";
import { aContainer, aPod, SETTINGS, TRAITS } from "../../tests/build.ts";
import {
  allPodsProtection,
  classProtection,
  containerMemoryFiles,
  podProtection,
  protectedBytes,
} from "./memory_qos.ts";
import type { PodSettings } from "./facts.ts";

const MIB = 1024n ** 2n;
const TIERED: PodSettings = {
  ...SETTINGS,
  memoryQos: { isTiered: true, throttlingFactor: 0.9 },
};
const UNTIERED: PodSettings = {
  ...SETTINGS,
  memoryQos: { isTiered: false, throttlingFactor: 0.9 },
};
const OLD: PodSettings = {
  ...SETTINGS,
  machine: { ...TRAITS, cgroupVersion: 1 },
};

function podOf(
  resources: V1ResourceRequirements,
  spec: Partial<V1PodSpec> = {},
): V1Pod {
  return aPod({ containers: [aContainer({ resources })], spec });
}

const list = (cpu: string, memory: string) => ({ cpu, memory });
/** cm/qos_container_manager_linux_test.go */
const ACTIVE = [
  podOf({ requests: list("1", "128Mi"), limits: list("1", "128Mi") }),
  podOf({ requests: list("1", "128Mi"), limits: list("2", "256Mi") }),
  podOf({ requests: list("2", "256Mi") }),
];

Deno.test("allPodsProtection() and classProtection() add up what is asked for", () => {
  const none = { memoryMinBytes: 0n, memoryLowBytes: 0n };
  const table: [string, readonly V1Pod[], bigint, bigint][] = [
    ["all classes", ACTIVE, 512n * MIB, 384n * MIB],
    ["best effort", [podOf({})], 0n, 0n],
    ["no memory", [podOf({ requests: { cpu: "1" } })], 0n, 0n],
    ["nobody", [], 0n, 0n],
  ];
  for (const [name, pods, min, low] of table) {
    const all = { ...none, memoryMinBytes: min };
    assert.deepEqual(allPodsProtection(TIERED, pods), all, name);
    const burstable = { ...none, memoryLowBytes: low };
    assert.deepEqual(classProtection(TIERED, pods, "Burstable"), burstable);
    assert.deepEqual(classProtection(TIERED, pods, "BestEffort"), none);
  }
  assert.deepEqual(protectedBytes(TIERED, ACTIVE), {
    min: 128n * MIB,
    low: 384n * MIB,
  });
});

Deno.test("protection that an earlier agent gave is taken back", () => {
  const none = { memoryMinBytes: 0n, memoryLowBytes: 0n };
  for (const settings of [SETTINGS, UNTIERED]) {
    assert.deepEqual(allPodsProtection(settings, ACTIVE), none);
    assert.deepEqual(classProtection(settings, ACTIVE, "Burstable"), none);
    for (const pod of ACTIVE) {
      assert.deepEqual(podProtection(settings, pod), none);
    }
    assert.deepEqual(protectedBytes(settings, ACTIVE), { min: 0n, low: 0n });
  }
  assert.deepEqual(allPodsProtection(OLD, ACTIVE), {}, "version 1 has none");
  assert.deepEqual(ACTIVE.map((pod) => podProtection(OLD, pod)), [{}, {}, {}]);
});

Deno.test("podProtection() is what upstream's table has", () => {
  const small = list("100m", "100Mi");
  const large = list("200m", "200Mi");
  const table: [string, V1Pod, bigint, bigint][] = [
    ["best effort", podOf({}), 0n, 0n],
    ["burstable", podOf({ requests: small }), 0n, 104_857_600n],
    ["limited", podOf({ requests: small, limits: large }), 0n, 104_857_600n],
    ["guaranteed", podOf({ requests: small, limits: small }), 104_857_600n, 0n],
    [
      "two containers",
      aPod({
        containers: [
          aContainer({ resources: { requests: small, limits: large } }),
          aContainer({ name: "b", resources: { requests: small } }),
        ],
      }),
      0n,
      209_715_200n,
    ],
    [
      "for the pod as a whole, with overhead",
      podOf({ requests: small }, {
        resources: { requests: large, limits: large },
        overhead: { memory: "28Mi" },
      }),
      228n * MIB,
      0n,
    ],
  ];
  for (const [name, pod, min, low] of table) {
    assert.deepEqual(
      podProtection(TIERED, pod),
      { memoryMinBytes: min, memoryLowBytes: low },
      name,
    );
  }
});

function files(
  settings: PodSettings,
  resources: V1ResourceRequirements,
  spec: Partial<V1PodSpec> = {},
) {
  const container = aContainer({ resources });
  const pod = aPod({ containers: [container], spec });
  return Object.fromEntries(containerMemoryFiles(settings, pod, container));
}

Deno.test("containerMemoryFiles() is none without the gate", () => {
  const resources = { requests: { memory: "1Gi" }, limits: { memory: "2Gi" } };
  assert.deepEqual(files(SETTINGS, resources), {});
});

Deno.test("containerMemoryFiles() slows down before the limit", () => {
  const half = { requests: { memory: "128Mi" }, limits: { memory: "256Mi" } };
  const open = { requests: { memory: "128Mi" } };
  // floor(128 MiB + 0.9 * (256 MiB - 128 MiB)) in whole pages.
  const high = "255012864";
  assert.deepEqual(files(TIERED, half), {
    "memory.low": "134217728",
    "memory.high": high,
  });
  assert.deepEqual(files(UNTIERED, half), {
    "memory.min": "0",
    "memory.low": "0",
    "memory.high": high,
  });
  const small = { ...TIERED, allocatableMemoryBytes: 32n * 1024n * MIB };
  // floor(128 MiB + 0.9 * (32 GiB - 128 MiB)) in whole pages.
  assert.equal(files(small, open)["memory.high"], "30937186304");
  const strict: PodSettings = {
    ...TIERED,
    memoryQos: { isTiered: true, throttlingFactor: 1 },
  };
  assert.equal(files(strict, half)["memory.high"], "268435456");
});

Deno.test("containerMemoryFiles() slows down nobody who has what it may have", () => {
  const table: [string, V1ResourceRequirements, string, string | undefined][] =
    [
      [
        "guaranteed",
        { requests: list("1", "1Gi"), limits: list("1", "1Gi") },
        "memory.min",
        "1073741824",
      ],
      [
        "request is limit",
        { requests: { memory: "1Gi" }, limits: { memory: "1Gi" } },
        "memory.low",
        "1073741824",
      ],
      ["nothing asked for", {}, "memory.low", "0"],
      [
        "all of the node",
        { requests: { memory: "8Gi" } },
        "memory.low",
        "8589934592",
      ],
      [
        "more than the node",
        { requests: { memory: "9Gi" } },
        "memory.low",
        "9663676416",
      ],
    ];
  for (const [name, resources, file, text] of table) {
    const found = files(TIERED, resources);
    assert.equal(found[file], text, name);
    assert.equal(found["memory.high"], undefined, name);
  }
  const blind = { ...TIERED, allocatableMemoryBytes: 0n };
  const open = { requests: { memory: "1Mi" } };
  assert.equal(files(blind, open)["memory.high"], undefined);
});

function randomFrom(start: number): (below: number) => number {
  let seed = start;
  return (below) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
}

Deno.test("what is kept for a class is what is kept for its pods", () => {
  const random = randomFrom(11);
  for (let round = 0; round < 100; round++) {
    const pods = Array.from({ length: random(12) }, () => {
      const limits = list(`${1 + random(4)}`, `${1 + random(900)}Mi`);
      const requests = [{}, { memory: "1Mi" }, limits][random(3)] ?? {};
      return podOf(requests === limits ? { requests, limits } : { requests }, {
        ...random(2) === 0 ? {} : { overhead: { memory: "3Mi" } },
      });
    });
    // Compat: overhead of a best-effort pod counts for itself alone.
    const kept = pods.filter((pod) => qosClass(pod) !== "BestEffort")
      .map((pod) => podProtection(TIERED, pod));
    const sum = (key: "memoryMinBytes" | "memoryLowBytes") =>
      kept.reduce((total, each) => total + (each[key] ?? 0n), 0n);
    const all = allPodsProtection(TIERED, pods);
    const burstable = classProtection(TIERED, pods, "Burstable");
    assert.equal(burstable.memoryLowBytes, sum("memoryLowBytes"));
    assert.equal(
      all.memoryMinBytes,
      sum("memoryMinBytes") + sum("memoryLowBytes"),
    );
  }
});

Deno.test("containerMemoryFiles() slows down between request and limit only", () => {
  const random = randomFrom(7);
  for (let round = 0; round < 500; round++) {
    const request = BigInt(random(1_000_000)) * 1024n;
    const limit = request + BigInt(random(1_000_000)) * 1024n;
    const found = files({
      ...TIERED,
      memoryQos: {
        isTiered: true,
        throttlingFactor: (1 + random(1000)) / 1000,
      },
    }, {
      requests: { memory: String(request) },
      limits: { memory: String(limit) },
    });
    const high = found["memory.high"];
    if (high === undefined) continue;
    assert.ok(BigInt(high) > request && BigInt(high) <= limit);
    assert.equal(BigInt(high) % 4096n, 0n);
  }
});
