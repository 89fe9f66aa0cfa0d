import assert from "node:assert/strict";
import { TRAITS } from "../../tests/build.ts";
import { load } from "../config/load_fixture.ts";
import type { ResizeGates } from "../pod/allocation.ts";
import { OPEN_GATES, type PodGates } from "../pod/gates.ts";
import { sourceConfig } from "../source/settings.ts";
import { podSettings } from "./settings.ts";

const HOST = { memoryBytes: () => 1n << 30n, traits: () => TRAITS };

type Gates = PodGates & ResizeGates;

function gatesWith(gates: string): Gates {
  const { config } = load([`--feature-gates=${gates}`]);
  return podSettings(config, HOST).gates;
}

Deno.test("podSettings() has each gate by the word of the configuration", () => {
  assert.deepEqual(gatesWith("HostnameOverride=true"), OPEN_GATES);
  const table: [string, Partial<Gates>][] = [
    ["HostnameOverride=false", { hasHostnameOverride: false }],
    ["EnvFiles=false", { hasEnvFiles: false }],
    [
      "PodLevelResources=false,InPlacePodLevelResourcesVerticalScaling=false",
      { hasPodResources: false, mayResizePods: false },
    ],
    [
      "InPlacePodVerticalScalingInitContainers=false",
      { mayResizeInit: false },
    ],
    ["PodReadyToStartContainersCondition=false", { hasReadyToStart: false }],
    [
      "ContainerRestartRules=false,RestartAllContainersOnContainerExits=false",
      { hasRestartRules: false, mayRestartAll: false },
    ],
  ];
  for (const [gates, expected] of table) {
    assert.deepEqual(gatesWith(gates), { ...OPEN_GATES, ...expected }, gates);
  }
});

Deno.test("sourceConfig() lets static pods refer only without the gate", () => {
  const of = (isOn: "true" | "false") => {
    const gate = `--feature-gates=PreventStaticPodAPIReferences=${isOn}`;
    return sourceConfig(load([gate]).config).mayReference;
  };
  assert.equal(of("true"), false);
  assert.equal(of("false"), true);
});
