import assert from "node:assert/strict";
import { aContainer, aPod, SETTINGS, TRAITS } from "../../tests/build.ts";
import type { V1PodSpec, V1ResourceRequirements } from "../api/types.ts";
import type { HostTraits } from "../port/host.ts";
import type { PodSettings } from "./facts.ts";
import { containerResources } from "./runtime_resources.ts";

function of(
  resources: V1ResourceRequirements,
  machine: Partial<HostTraits> = {},
  own: Partial<PodSettings> & { readonly spec?: Partial<V1PodSpec> } = {},
) {
  const { spec = {}, ...rest } = own;
  const container = aContainer({ resources });
  const settings = {
    ...SETTINGS,
    ...rest,
    machine: { ...TRAITS, ...machine },
  };
  return containerResources(
    settings,
    aPod({ containers: [container], spec }),
    container,
  );
}

const MEMORY = { requests: { memory: "1Gi" }, limits: { memory: "2Gi" } };

Deno.test("containerResources() ends all of a container when memory is out", () => {
  const files = (...args: Parameters<typeof of>) =>
    Object.fromEntries(of(...args).unified);
  const none = { hasSwapLimits: false };
  assert.deepEqual(files({}, none), { "memory.oom.group": "1" });
  assert.deepEqual(files({}, none, { endsSingleProcess: true }), {});
  assert.deepEqual(files({}, { ...none, cgroupVersion: 1 }), {});
  assert.deepEqual(files({}), {
    "memory.oom.group": "1",
    "memory.swap.max": "0",
  });
});

Deno.test("containerResources() allows no swap unless told to", () => {
  const swap = (...args: Parameters<typeof of>) =>
    of(...args).unified.get("memory.swap.max");
  const swapBytes = 4n * 1024n ** 3n;
  const own = { mayUseSwap: true };
  assert.equal(swap(MEMORY, { swapBytes }), "0");
  // 1 of 8 GiB of memory: an eighth of the swap.
  assert.equal(swap(MEMORY, { swapBytes }, own), String(swapBytes / 8n));
  const same = { requests: { memory: "1Gi" }, limits: { memory: "1Gi" } };
  const table: [string, V1ResourceRequirements, Partial<V1PodSpec>][] = [
    ["best effort", {}, {}],
    ["request is limit", same, {}],
    ["no memory request", { requests: { cpu: "1" } }, {}],
    ["critical", MEMORY, { priority: 2_000_000_000 }],
    [
      "guaranteed",
      { limits: { cpu: "1", memory: "1Gi" } },
      {},
    ],
  ];
  for (const [name, resources, spec] of table) {
    assert.equal(swap(resources, { swapBytes }, { ...own, spec }), "0", name);
  }
});

Deno.test("containerResources() shares out swap as upstream's test has it", () => {
  // TestGenerateLinuxContainerResourcesWithSwap: 40 GiB of memory, 5 of swap.
  const GIB = 1024n ** 3n;
  const own = { mayUseSwap: true, memoryBytes: 40n * GIB };
  const share = (memory: string) =>
    of({ requests: { memory } }, { swapBytes: 5n * GIB }, own)
      .unified.get("memory.swap.max");
  assert.equal(share("1Gi"), "134217728");
  assert.equal(share("2Gi"), "268435456");
  assert.equal(share("40Gi"), String(5n * GIB));
  assert.equal(share("41Gi"), "0", "more than there is");
  assert.equal(share("0"), "0");
});

Deno.test("containerResources() adds the files of memory QoS", () => {
  const memoryQos = { isTiered: true, throttlingFactor: 0.9 };
  assert.deepEqual(Object.fromEntries(of(MEMORY, {}, { memoryQos }).unified), {
    "memory.oom.group": "1",
    "memory.swap.max": "0",
    "memory.low": "1073741824",
    "memory.high": "2040107008",
  });
});

Deno.test("containerResources() limits swap on old control groups by the sum", () => {
  const old = { cgroupVersion: 1 } as const;
  assert.equal(of(MEMORY, old).memorySwapLimitBytes, 2n * 1024n ** 3n);
  assert.equal(of(MEMORY, old, { mayUseSwap: true }).unified.size, 0);
  const blind = { ...old, hasSwapLimits: false };
  assert.equal(of(MEMORY, blind).memorySwapLimitBytes, 0n);
  assert.equal(of(MEMORY).memorySwapLimitBytes, 0n);
});

Deno.test("containerResources() gives 64 bits exactly (S47)", () => {
  const bytes = 2n ** 53n + 1n;
  const made = of({ limits: { memory: String(bytes) } });
  assert.equal(made.memoryLimitBytes, bytes);
});
