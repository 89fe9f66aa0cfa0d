import assert from "node:assert/strict";
import { aContainer, aPod } from "../../tests/build.ts";
import { gatedPod, OPEN_GATES } from "./gates.ts";

const RULES = ["Restart", "RestartAllContainers"].map((action) => ({
  action,
  exitCodes: { operator: "In", values: [1] },
}));
const POD = aPod({
  spec: {
    initContainers: [aContainer({ name: "s", restartPolicy: "Always" })],
  },
  containers: [
    aContainer({ restartPolicy: "Never", restartPolicyRules: RULES }),
  ],
});

Deno.test("gatedPod() leaves a pod as it is while the gates are open", () => {
  assert.equal(gatedPod(POD, OPEN_GATES), POD);
});

Deno.test("gatedPod() takes away what is switched off, and no sidecar", () => {
  const gates = { ...OPEN_GATES, mayRestartAll: false };
  const [app] = gatedPod(POD, gates).spec?.containers ?? [];
  assert.deepEqual(
    app?.restartPolicyRules?.map(({ action }) => action),
    ["Restart"],
  );
  const none = gatedPod(POD, {
    ...gates,
    hasRestartRules: false,
  });
  const [plain] = none.spec?.containers ?? [];
  assert.equal(plain?.restartPolicy, undefined);
  assert.equal(plain?.restartPolicyRules, undefined);
  assert.deepEqual(none.spec?.initContainers, POD.spec?.initContainers);
});

Deno.test("gatedPod() knows no name of its own and no file of variables", () => {
  const gates = { ...OPEN_GATES, hasHostnameOverride: false };
  const fileKeyRef = { volumeName: "v", path: "p", key: "K" };
  const named = aPod({
    spec: { hostnameOverride: "other" },
    containers: [
      aContainer({
        env: [{ name: "A", valueFrom: { fileKeyRef } }, { name: "B" }],
      }),
    ],
  });
  const { spec } = gatedPod(named, gates);
  assert.equal(spec?.hostnameOverride, undefined);
  assert.deepEqual(spec?.containers, named.spec?.containers);
  const empty = gatedPod(named, { ...gates, hasEnvFiles: false });
  assert.deepEqual(empty.spec?.containers[0]?.env, [
    { name: "A" },
    { name: "B" },
  ]);
});
