import assert from "node:assert/strict";
import { aContainer, aPod } from "../../tests/build.ts";
import type { V1EnvVar } from "../api/types.ts";
import type { FoundReferences } from "../reference/types.ts";
import { environment, expandAll } from "./env.ts";

const CONTEXT = {
  nodeName: "node-1",
  podIps: ["10.0.0.5", "fd00::5"],
  hostIps: ["192.0.2.7", "fd00::7"],
  allocatable: new Map([["cpu", "2"], ["memory", "8Gi"]]),
  services: new Map<string, string>(),
  found: undefined,
};

function made(env: V1EnvVar[], pod = aPod()) {
  const result = environment(pod, aContainer({ env }), CONTEXT);
  return result.kind === "ok"
    ? result.env.map(({ name, value }) => `${name}=${value}`)
    : result.message;
}

Deno.test("environment() sees earlier variables only", () => {
  assert.deepEqual(
    made([
      { name: "B", value: "$(A)" },
      { name: "A", value: "1" },
      { name: "C", value: "$(A)$(B)" },
      { name: "A", value: "$(A)2" },
      { name: "D", value: "$(A)" },
      { name: "E" },
    ]),
    ["B=$(A)", "A=12", "C=1$(A)", "D=12", "E="],
  );
});

Deno.test("environment() reads fields of the pod", () => {
  const pod = aPod({
    labels: { "app.io/name": "shop" },
    annotations: { note: "hi" },
    spec: { serviceAccountName: "clerk" },
  });
  const table: [string, string][] = [
    ["metadata.name", "shop"],
    ["metadata.namespace", "prod"],
    ["metadata.uid", "11111111-2222-3333-4444-555555555555"],
    ["metadata.labels['app.io/name']", "shop"],
    ["metadata.labels['toString']", ""],
    ["metadata.annotations['note']", "hi"],
    ["metadata.annotations['none']", ""],
    ["spec.nodeName", "node-1"],
    ["spec.serviceAccountName", "clerk"],
    ["status.podIP", "10.0.0.5"],
    ["status.podIPs", "10.0.0.5,fd00::5"],
  ];
  for (const [fieldPath, expected] of table) {
    const env = [{ name: "X", valueFrom: { fieldRef: { fieldPath } } }];
    assert.deepEqual(made(env, pod), [`X=${expected}`], fieldPath);
  }
});

Deno.test("environment() says which fields a container cannot be told", () => {
  const table: [string, string][] = [
    ["spec.restartPolicy", "unsupported fieldPath: spec.restartPolicy"],
    ["status.message", "field label not supported: status.message"],
    [
      "spec.nodeName['x']",
      "field label does not support subscript: spec.nodeName['x']",
    ],
  ];
  for (const [fieldPath, expected] of table) {
    const env = [{ name: "X", valueFrom: { fieldRef: { fieldPath } } }];
    assert.equal(made(env), expected);
  }
  const result = environment(
    aPod(),
    aContainer({
      env: [{
        name: "X",
        valueFrom: { fieldRef: { fieldPath: "status.hostIP" } },
      }],
    }),
    { ...CONTEXT, hostIps: [] },
  );
  assert.deepEqual(result, {
    kind: "refused",
    message: "host IP unknown; known addresses: []",
  });
});

Deno.test("environment() puts services before envFrom before env", () => {
  const found: FoundReferences = {
    envFrom: new Map([
      [0, new Map([["A", "first"], ["B", "first"], ["__proto__", "own"]])],
      [1, new Map([["B", "second"]])],
    ]),
    env: new Map([[1, "looked up"]]),
  };
  const container = aContainer({
    envFrom: [
      { configMapRef: { name: "a" } },
      { configMapRef: { name: "b" } },
      { prefix: "P_", secretRef: { name: "c", optional: true } },
    ],
    env: [
      { name: "C", value: "$(A) $(B) $(HOST) $(LATE)" },
      { name: "D", valueFrom: { secretKeyRef: { name: "s", key: "k" } } },
      // An optional one that is not there leaves what envFrom brought.
      { name: "A", valueFrom: { secretKeyRef: { name: "s", key: "no" } } },
      { name: "HOST", value: "mine: $(HOST)" },
      { name: "LATE", value: "x" },
    ],
  });
  const result = environment(aPod(), container, {
    ...CONTEXT,
    found,
    services: new Map([["HOST", "10.0.0.1"], ["PORT", "443"]]),
  });
  assert.deepEqual(
    result.kind === "ok" && result.env.map((e) => `${e.name}=${e.value}`),
    [
      "A=first",
      "B=second",
      "__proto__=own",
      "C=first second 10.0.0.1 $(LATE)",
      "D=looked up",
      "HOST=mine: 10.0.0.1",
      "LATE=x",
      "PORT=443",
    ],
  );
});

Deno.test("environment() adds a prefix to what envFrom brings", () => {
  const found: FoundReferences = {
    envFrom: new Map([[0, new Map([["a.b-c", "1"]])]]),
    env: new Map(),
  };
  const envFrom = [{ prefix: "P_", configMapRef: { name: "a" } }];
  const result = environment(aPod(), aContainer({ envFrom }), {
    ...CONTEXT,
    found,
  });
  assert.deepEqual(result.kind === "ok" && result.env, [
    { name: "P_a.b-c", value: "1" },
  ]);
});

Deno.test("environment() tells resources, bound by the pod or the node", () => {
  const web = aContainer({ resources: { limits: { cpu: "500m" } } });
  const init = aContainer({ name: "init" });
  const ask = (resource: string, containerName = "", divisor = "1") => ({
    name: "X",
    valueFrom: { resourceFieldRef: { resource, containerName, divisor } },
  });
  const limits = { memory: "1Gi" };
  const table: [V1EnvVar, string, object][] = [
    [ask("limits.cpu"), "X=2", {}],
    [ask("limits.cpu", "web", "1m"), "X=500", {}],
    [ask("limits.memory", "", "1Mi"), "X=8192", {}],
    [ask("limits.memory", "", "1Mi"), "X=1024", { resources: { limits } }],
    // Compat: of others only regular ones are bound by the node.
    [ask("limits.memory", "init"), "X=0", {}],
    [ask("requests.memory"), "X=0", {}],
    [ask("limits.memory", "none"), "container none not found", {}],
    [ask("limits.pods"), "unsupported container resource : limits.pods", {}],
  ];
  for (const [variable, expected, spec] of table) {
    const pod = aPod({
      containers: [web],
      spec: { initContainers: [init], ...spec },
    });
    assert.equal(String(made([variable], pod)), expected);
  }
});

Deno.test("expandAll() uses the last value of each name", () => {
  const env = [{ name: "A", value: "1" }, { name: "A", value: "2" }];
  assert.deepEqual(expandAll(["$(A)", "$(B)"], env), ["2", "$(B)"]);
  assert.deepEqual(expandAll(undefined, env), []);
});
