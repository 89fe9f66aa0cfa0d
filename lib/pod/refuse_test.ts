import assert from "node:assert/strict";
import {
  aPod,
  aSandbox,
  type FactParts,
  NOW_MS,
  SETTINGS,
  someFacts,
} from "../../tests/build.ts";
import type { V1Pod } from "../api/types.ts";
import type { AdmissionNode } from "./admit.ts";
import { decide } from "./decide.ts";

const NODE: AdmissionNode = {
  name: "node-1",
  labels: new Map([["kubernetes.io/os", "linux"]]),
  taints: [],
  allocatable: new Map([["cpu", "1"], ["memory", "1Gi"], ["pods", "2"]]),
  os: "linux",
};
const STATIC = { "kubernetes.io/config.source": "file" };

function plan(parts: FactParts, nowMs = NOW_MS) {
  const fresh = { isAdmitted: false, node: NODE };
  return decide(someFacts({ ...fresh, ...parts }), nowMs);
}

function kindsOf(parts: FactParts): string[] {
  return plan(parts).actions.map(({ kind }) => kind);
}

Deno.test("decide() lets in a pod that fits", () => {
  assert.ok(kindsOf({}).includes("run-sandbox"));
  assert.ok(kindsOf({ others: [aPod({ uid: "b" })] }).includes("run-sandbox"));
});

Deno.test("decide() refuses a pod that does not fit, once and for good", () => {
  const others = [aPod({ uid: "b" }), aPod({ uid: "c" })];
  const made = plan({ others });
  const refusal = {
    reason: "OutOfpods",
    message: "Pod was rejected: Node didn't have enough resource: pods, " +
      "requested: 1, used: 2, capacity: 2",
  };
  assert.deepEqual(made.next, { kind: "done", refusal });
  assert.deepEqual(made.actions, [{
    kind: "note",
    type: "Warning",
    reason: "OutOfpods",
    message: "Node didn't have enough resource: pods, requested: 1, used: 2, " +
      "capacity: 2",
  }]);
  const later = plan({ state: made.next, isAdmitted: true });
  assert.deepEqual(later.next, made.next);
  assert.deepEqual(later.actions, []);
});

Deno.test("decide() keeps a pod that is here, whatever the node became", () => {
  const made = plan({ isAdmitted: true, node: undefined });
  assert.equal(made.next.kind, "waiting");
  const sandboxes = [aSandbox()];
  assert.equal(
    plan({ isAdmitted: true, sandboxes, node: undefined }).next.kind,
    "running",
  );
});

Deno.test("decide() waits for the node, but not with a static pod", () => {
  const node = undefined;
  assert.deepEqual(plan({ node }).next, { kind: "waiting", for: "node" });
  const pod = aPod({ annotations: STATIC });
  assert.ok(kindsOf({ node, pod }).includes("run-sandbox"));
});

Deno.test("decide() gives the node's labels a moment to arrive", () => {
  const pod: V1Pod = aPod({ spec: { nodeSelector: { disk: "ssd" } } });
  const made = plan({ pod });
  assert.deepEqual(made.next, { kind: "waiting", for: "node" });
  assert.equal(made.wakeAtMs, NOW_MS + 1_000);
  const again = plan({ pod, state: made.next }, NOW_MS + 1_000);
  assert.equal(again.next.kind, "done");
  const labels = new Map([["disk", "ssd"]]);
  const after = plan({ pod, state: made.next, node: { ...NODE, labels } });
  assert.equal(after.next.kind, "waiting");
  assert.ok(after.actions.some(({ kind }) => kind === "run-sandbox"));
});

Deno.test("decide() says once what it does not support, and waits", () => {
  const pod = aPod({ spec: { resourceClaims: [{ name: "r" }] } });
  const made = plan({ pod });
  assert.deepEqual(made.next, { kind: "waiting", for: "support" });
  assert.equal(made.actions[0]?.kind, "note");
  assert.match(made.blockers[0]?.message ?? "", /spec\.resourceClaims/);
  assert.equal(made.waiting.get("web")?.what, "UnsupportedFeature");
  assert.deepEqual(kindsOf({ pod, state: made.next }), []);
});

Deno.test("decide() refuses kernel parameters that are not allowed", () => {
  const securityContext = { sysctls: [{ name: "vm.swappiness", value: "1" }] };
  const made = plan({ pod: aPod({ spec: { securityContext } }) });
  assert.equal(
    made.next.kind === "done" && made.next.refusal?.reason,
    "SysctlForbidden",
  );
});

Deno.test("decide() refuses confinement that the host cannot give (S16)", () => {
  const appArmorProfile = { type: "RuntimeDefault" };
  const pod = aPod({ spec: { securityContext: { appArmorProfile } } });
  const made = plan({ pod });
  assert.deepEqual(made.next.kind === "done" && made.next.refusal, {
    reason: "AppArmor",
    message: "Pod was rejected: Cannot enforce AppArmor: AppArmor is not " +
      "enabled on the host",
  });
  const machine = { ...SETTINGS.machine, hasAppArmor: true };
  const able = plan({ pod, settings: { ...SETTINGS, machine } });
  assert.equal(able.next.kind, "waiting");
});

Deno.test("decide() refuses resources of a pod as a whole without the gate", () => {
  const pod = aPod({ spec: { resources: { limits: { cpu: "1" } } } });
  const gates = { ...SETTINGS.gates, hasPodResources: false };
  const made = plan({ pod, settings: { ...SETTINGS, gates } });
  assert.deepEqual(made.next.kind === "done" && made.next.refusal, {
    reason: "PodLevelResourcesNotSupported",
    message: "Pod was rejected: PodLevelResources feature gate is disabled",
  });
  assert.equal(plan({ pod }).next.kind, "waiting");
});
