import assert from "node:assert/strict";
import { load } from "../config/load_fixture.ts";
import { quantity } from "./fixture_test.ts";
import { nodeSettings, reservation } from "./settings.ts";

const of = (argv: readonly string[], file = "") =>
  load(["--config=/etc/node/config.yaml", ...argv], { file }).config;

Deno.test("nodeSettings() are the configuration's", () => {
  const argv = ["--cloud-provider=external", "--node-labels=team=blue"];
  const file = "registerNode: false\nproviderID: cloud:///1\n" +
    "registerWithTaints: [{key: a, effect: NoSchedule}]\n" +
    "nodeLeaseDurationSeconds: 8\n";
  const settings = nodeSettings(of(argv, file), "v1.36.3");
  assert.equal(settings.nodeName, "node-1");
  assert.ok(settings.isCloudExternal);
  assert.ok(!settings.mayRegister);
  assert.deepEqual(settings.labels, new Map([["team", "blue"]]));
  assert.deepEqual(settings.taints, [
    { key: "a", value: "", effect: "NoSchedule" },
  ]);
  assert.equal(settings.providerId, "cloud:///1");
  assert.equal(settings.heartbeatMs, 8_000);
  assert.equal(settings.kubeletVersion, "v1.36.3");
});

Deno.test("reservation() knows the default hard eviction", () => {
  const { eviction } = reservation(of([]));
  assert.deepEqual(
    eviction,
    new Map([
      ["memory", { kind: "amount", quantity: quantity("100Mi") }] as const,
      ["ephemeral-storage", { kind: "share", percent: 10 }] as const,
    ]),
  );
});

Deno.test("reservation() ignores thresholds that can never be met", () => {
  const file = "evictionHard: {memory.available: 0%, nodefs.available: 5%}\n";
  assert.deepEqual(
    reservation(of([], file)).eviction,
    new Map([["ephemeral-storage", { kind: "share", percent: 5 } as const]]),
  );
  const argv = ["--experimental-allocatable-ignore-eviction"];
  assert.deepEqual(reservation(of(argv)).eviction, new Map());
});

Deno.test("reservation() lets named processors replace cpu amounts", () => {
  const file = "systemReserved: {cpu: 100m, memory: 1Gi}\n" +
    'kubeReserved: {cpu: 200m, memory: 1Gi}\nreservedSystemCPUs: "0-2,1,7"\n';
  const { system, kube } = reservation(of([], file));
  assert.equal(system.get("cpu"), quantity("4"));
  assert.equal(system.get("memory"), quantity("1Gi"));
  assert.equal(kube.get("cpu"), undefined);
  assert.equal(kube.get("memory"), quantity("1Gi"));
});
