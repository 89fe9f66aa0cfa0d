import assert from "node:assert/strict";
import { podUid } from "../api/id.ts";
import { podStatusPatch } from "./translate.ts";

const POD = { namespace: "prod", name: "shop", uid: podUid("u-1") };

Deno.test("podStatusPatch() is meant for one pod, and carries nulls", () => {
  const lastTransitionTime = "2026-01-02T03:04:05Z";
  const ready = { type: "Ready", status: "True", lastTransitionTime } as const;
  assert.deepEqual(
    podStatusPatch(POD, {
      reason: null,
      resources: { limits: null },
      podIPs: [{ ip: "10.0.0.5" }],
      hostIPs: null,
      conditions: [{ ...ready, message: null }],
      conditionsGone: ["Initialized"],
    }),
    {
      metadata: { uid: "u-1" },
      status: {
        reason: null,
        resources: { limits: null },
        podIPs: [{ $patch: "replace" }, { ip: "10.0.0.5" }],
        hostIPs: null,
        conditions: [
          { ...ready, message: null },
          { type: "Initialized", $patch: "delete" },
        ],
      },
    },
  );
  assert.deepEqual(podStatusPatch(POD, { phase: "Failed" }), {
    metadata: { uid: "u-1" },
    status: { phase: "Failed" },
  });
});
