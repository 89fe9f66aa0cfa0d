import assert from "node:assert/strict";
import { aContainer, aPod } from "../../tests/build.ts";
import type { V1EnvVar } from "../api/types.ts";
import { environment, expand, expandAll } from "./env.ts";

const CONTEXT = {
  nodeName: "node-1",
  podIps: ["10.0.0.5", "fd00::5"],
  hostIps: ["192.0.2.7", "fd00::7"],
};

Deno.test("expand() follows third_party/forked/golang/expansion", () => {
  const known = new Map([["A", "x"], ["B", "$(A)"], ["E", ""], ["A-b.c", "y"]]);
  const table: [string, string][] = [
    ["", ""],
    ["$(A)", "x"],
    ["a$(A)b$(A)", "axbx"],
    ["$(B)", "$(A)"],
    ["$(E)|", "|"],
    ["$(A-b.c)", "y"],
    ["$(missing)", "$(missing)"],
    ["$()", "$()"],
    ["$$", "$"],
    ["$$$$", "$$"],
    ["$$(A)", "$(A)"],
    ["$$$(A)", "$x"],
    ["$$$$(A)", "$$(A)"],
    ["$A", "$A"],
    ["$", "$"],
    ["A$", "A$"],
    ["$(A", "$(A"],
    ["$(A$$", "$(A$"],
    ["$(A$(B))", "$(A$(B))"],
    ["$A$(A)", "$Ax"],
    ["$( A )", "$( A )"],
    ["${A}", "${A}"],
  ];
  for (const [text, expected] of table) {
    assert.equal(expand(text, known), expected, text);
  }
});

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
    ["B=$(A)", "A=1", "C=1$(A)", "A=12", "D=12", "E="],
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

Deno.test("environment() refuses what it cannot look up, by name", () => {
  const secret = { secretKeyRef: { name: "s", key: "k" } };
  assert.match(String(made([{ name: "X", valueFrom: secret }])), /\bX\b.*web/);
  const refused = environment(
    aPod(),
    aContainer({ envFrom: [{ configMapRef: { name: "c" } }] }),
    CONTEXT,
  );
  assert.equal(refused.kind, "refused");
});

Deno.test("expandAll() uses the last value of each name", () => {
  const env = [{ name: "A", value: "1" }, { name: "A", value: "2" }];
  assert.deepEqual(expandAll(["$(A)", "$(B)"], env), ["2", "$(B)"]);
  assert.deepEqual(expandAll(undefined, env), []);
});
