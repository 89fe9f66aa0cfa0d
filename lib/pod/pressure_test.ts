import assert from "node:assert/strict";
import type { V1PodSpec } from "../api/types.ts";
import { aContainer, aPod } from "../../tests/build.ts";
import type { PressureKind } from "../eviction/types.ts";
import { refuseUnderPressure } from "./pressure.ts";

const TOLERANT = {
  tolerations: [{
    key: "node.kubernetes.io/memory-pressure",
    operator: "Exists",
  }],
};
const CRITICAL = { priority: 2_000_000_000 };
const resources = { requests: { cpu: "1m" } };

Deno.test("refuseUnderPressure() keeps out who was promised nothing", () => {
  const best = (spec: Partial<V1PodSpec> = {}) => aPod({ spec });
  const burstable = aPod({ containers: [aContainer({ resources })] });
  const cases: readonly [
    readonly PressureKind[],
    ReturnType<typeof aPod>,
    string | undefined,
  ][] = [
    [[], best(), undefined],
    [["MemoryPressure"], best(), "[MemoryPressure]"],
    [["MemoryPressure"], best(TOLERANT), undefined],
    [["MemoryPressure"], best(CRITICAL), undefined],
    [["MemoryPressure"], burstable, undefined],
    [["DiskPressure"], burstable, "[DiskPressure]"],
    [["PIDPressure"], best(TOLERANT), "[PIDPressure]"],
    [["DiskPressure"], best(CRITICAL), undefined],
    [
      ["MemoryPressure", "DiskPressure"],
      burstable,
      "[MemoryPressure DiskPressure]",
    ],
  ];
  for (const [pressures, pod, expected] of cases) {
    const refusal = refuseUnderPressure(pod, pressures);
    assert.deepEqual(
      refusal,
      expected && {
        reason: "Evicted",
        message: `The node had condition: ${expected}. `,
      },
    );
  }
});
