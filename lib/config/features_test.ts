import assert from "node:assert/strict";
import { applyGates, FEATURE_GATES } from "./features.ts";

const gates = (value: Record<string, boolean>) =>
  applyGates(new Map(Object.entries(value)));

Deno.test("applyGates() starts from the 1.36 defaults", () => {
  const { features, unknown, problems } = gates({});
  assert.equal(Object.keys(features).length, Object.keys(FEATURE_GATES).length);
  assert.deepEqual([unknown, problems], [[], []]);
  const expected = {
    NodeSwap: true,
    CustomCPUCFSQuotaPeriod: true,
    GracefulNodeShutdown: true,
    KubeletCrashLoopBackOffMax: true,
    PodCertificateRequest: false,
    EventedPLEG: false,
    DisableNodeKubeProxyVersion: true,
    AllowDNSOnlyNodeCSR: false,
    LoggingAlphaOptions: false,
  };
  for (const [name, isOn] of Object.entries(expected)) {
    assert.equal(
      Object.entries(features).find(([n]) => n === name)?.[1],
      isOn,
      name,
    );
  }
});

Deno.test("applyGates() names unknown gates and changes nothing for them", () => {
  const outcome = gates({ Zzz: true, __proto__x: true, constructor: true });
  assert.deepEqual(outcome.unknown, ["Zzz", "__proto__x", "constructor"]);
  assert.deepEqual(outcome.features, gates({}).features);
});

Deno.test("applyGates() refuses to move a locked gate, allows its value", () => {
  assert.deepEqual(gates({ NodeSwap: false }).problems, [
    "feature gate NodeSwap is locked to true",
  ]);
  assert.deepEqual(gates({ GitRepoVolumeDriver: true }).problems.length, 1);
  const same = gates({ NodeSwap: true });
  assert.deepEqual([same.problems, same.fixed], [[], ["NodeSwap"]]);
});

Deno.test("applyGates() wants the gates another gate needs", () => {
  assert.deepEqual(gates({ GracefulNodeShutdown: false }).problems, [
    "feature gate GracefulNodeShutdownBasedOnPodPriority needs " +
    "GracefulNodeShutdown",
  ]);
});

Deno.test("applyGates() switches a stage but not a gate named itself", () => {
  const { features } = gates({
    AllAlpha: true,
    EventedPLEG: false,
    AllBeta: false,
    ContainerRestartRules: true,
    NodeDeclaredFeatures: true,
    DynamicResourceAllocation: true,
  });
  assert.equal(features.MemoryQoS, true);
  assert.equal(features.EventedPLEG, false);
  assert.equal(features.EnvFiles, false);
  assert.equal(features.ContainerRestartRules, true);
  assert.equal(features.NodeSwap, true);
});
