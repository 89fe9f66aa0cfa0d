import assert from "node:assert/strict";
import { parseQuantity } from "../api/quantity.ts";
import { podsShare, type ShareFacts } from "./pods_share.ts";

const GIB = 1024n ** 3n;

function amounts(list: Readonly<Record<string, string>>) {
  return new Map(
    Object.entries(list)
      .map(([name, text]) => [name, parseQuantity(text) ?? 0n]),
  );
}

const FACTS: ShareFacts = {
  machine: {
    cpuCount: 2,
    memoryBytes: 8n * GIB,
    hugePages: [{ sizeBytes: 2_097_152n, count: 10n }],
  },
  mostProcesses: 32_768n,
  reservation: {
    system: amounts({ cpu: "250m", memory: "1Gi", pid: "1000" }),
    kube: amounts({ cpu: "250m", memory: "1Gi", "hugepages-2Mi": "4Mi" }),
  },
  enforced: ["pods"],
};

Deno.test("podsShare() is what the node has without what is reserved", () => {
  assert.deepEqual(podsShare(FACTS), {
    cpuShares: 1536n,
    memoryLimitBytes: 6n * GIB,
    pidsLimit: 31_768n,
    hugePageLimits: new Map([[2_097_152n, 8n * 2_097_152n]]),
  });
});

Deno.test("podsShare() is all that the node has unless it is enforced", () => {
  assert.deepEqual(podsShare({ ...FACTS, enforced: ["none"] }), {
    cpuShares: 2048n,
    memoryLimitBytes: 8n * GIB,
    pidsLimit: 32_768n,
    hugePageLimits: new Map([[2_097_152n, 10n * 2_097_152n]]),
  });
});

Deno.test("podsShare() is never less than nothing", () => {
  const system = amounts({ cpu: "4", memory: "16Gi" });
  const reservation = { ...FACTS.reservation, system };
  const { cpuShares, memoryLimitBytes } = podsShare({ ...FACTS, reservation });
  assert.equal(cpuShares, 2n);
  assert.equal(memoryLimitBytes, undefined);
});

Deno.test("podsShare() says nothing of processes that nobody counted", () => {
  const { pidsLimit } = podsShare({ ...FACTS, mostProcesses: 0n });
  assert.equal(pidsLimit, undefined);
});
