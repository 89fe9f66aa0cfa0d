import assert from "node:assert/strict";
import { load } from "../config/load_fixture.ts";
import { declaredFeatures } from "./declared.ts";

function declared(gates: string): readonly string[] {
  const file = `featureGates: {${gates}}\n`;
  return declaredFeatures(load([], { file }).config);
}

Deno.test("declaredFeatures() are those that are on, in order", () => {
  assert.deepEqual(declared(""), [
    "ExtendWebSocketsToKubelet",
    "InPlacePodLevelResourcesVerticalScaling",
    "InPlacePodVerticalScalingInitContainers",
    "RestartAllContainersOnContainerExits",
  ]);
  assert.deepEqual(
    declared("InPlacePodVerticalScalingInitContainers: false"),
    [
      "ExtendWebSocketsToKubelet",
      "InPlacePodLevelResourcesVerticalScaling",
      "RestartAllContainersOnContainerExits",
    ],
  );
});
