import assert from "node:assert/strict";
import { aContainer, aPod } from "../../tests/build.ts";
import { gatedPod } from "./gates.ts";

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
  const gates = { hasRestartRules: true, mayRestartAll: true };
  assert.equal(gatedPod(POD, gates), POD);
});

Deno.test("gatedPod() takes away what is switched off, and no sidecar", () => {
  const gates = { hasRestartRules: true, mayRestartAll: false };
  const [app] = gatedPod(POD, gates).spec?.containers ?? [];
  assert.deepEqual(
    app?.restartPolicyRules?.map(({ action }) => action),
    ["Restart"],
  );
  const none = gatedPod(POD, { hasRestartRules: false, mayRestartAll: false });
  const [plain] = none.spec?.containers ?? [];
  assert.equal(plain?.restartPolicy, undefined);
  assert.equal(plain?.restartPolicyRules, undefined);
  assert.deepEqual(none.spec?.initContainers, POD.spec?.initContainers);
});
