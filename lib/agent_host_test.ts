import assert from "node:assert/strict";
import { checkHost, tellOfHost } from "./agent_host.ts";
import { load } from "./config/load_fixture.ts";
import type { HostTraits } from "./port/host.ts";
import { TRAITS } from "../tests/build.ts";

const OLD = { cgroupVersion: 1 } as const;
const SWAP = { swapBytes: 1024n };

function check(traits: Partial<HostTraits>, file: string): void {
  const { config } = load([], { file: `enableServer: false\n${file}` });
  checkHost(config, { ...TRAITS, ...traits });
}

Deno.test("checkHost() starts where the configuration wants to run", () => {
  check({}, "");
  check({}, "singleProcessOOMKill: false\n");
  check({}, "memorySwap: {swapBehavior: LimitedSwap}\n");
  check(OLD, "failCgroupV1: false\n");
  check(OLD, "failCgroupV1: false\nmemorySwap: {swapBehavior: NoSwap}\n");
  check(SWAP, "failSwapOn: false\n");
  check({}, "reservedSystemCPUs: 0-1\n");
  check({ onlineCpus: "0-3,6" }, "reservedSystemCPUs: 2,6\n");
});

Deno.test("checkHost() says which field does not want this host", () => {
  const table: [Partial<HostTraits>, string, RegExp][] = [
    [OLD, "", /this host has cgroup v1, and failCgroupV1 is true/],
    [
      OLD,
      "failCgroupV1: false\nsingleProcessOOMKill: false\n",
      /singleProcessOOMKill must not be false/,
    ],
    [
      OLD,
      "failCgroupV1: false\nmemorySwap: {swapBehavior: LimitedSwap}\n",
      /memorySwap\.swapBehavior: LimitedSwap needs cgroup v2/,
    ],
    [SWAP, "", /swap is on, and failSwapOn is true/],
    [
      {},
      "reservedSystemCPUs: 1-999999999\n",
      /reservedSystemCPUs: 1-999999999 is not a subset .* which are 0-1$/,
    ],
    [{ onlineCpus: "0,2" }, "reservedSystemCPUs: 0-2\n", /which are 0,2$/],
  ];
  for (const [traits, file, words] of table) {
    assert.throws(() => check(traits, file), words);
  }
});

Deno.test("tellOfHost() tells of old cgroups and of secrets in swap", () => {
  const reasons = (traits: Partial<HostTraits>) => {
    const told: string[] = [];
    tellOfHost({ ...TRAITS, ...traits }, {
      record: ({ type, reason }) => told.push(`${type} ${reason}`),
    });
    return told;
  };
  assert.deepEqual(reasons({}), []);
  assert.deepEqual(reasons(OLD), ["Warning CgroupV1"]);
  assert.deepEqual(reasons(SWAP), []);
  assert.deepEqual(reasons({ hasNoSwapTmpfs: false }), []);
  assert.deepEqual(reasons({ ...SWAP, hasNoSwapTmpfs: false }), [
    "Warning PossibleMemoryBackedVolumesOnDisk",
  ]);
});
