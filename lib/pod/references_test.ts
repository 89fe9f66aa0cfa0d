import assert from "node:assert/strict";
import { aContainer, aPod, NOW_MS, someFacts } from "../../tests/build.ts";
import { CONFIG_SOURCE } from "../api/pod.ts";
import type { V1Container } from "../api/types.ts";
import type { ReferenceState } from "../reference/types.ts";
import { referencesFor } from "./references.ts";

const NEEDY = aContainer({ envFrom: [{ configMapRef: { name: "c" } }] });
const NO_PATHS = new Map<string, string>();

function looked(container: V1Container, state?: ReferenceState) {
  const references = new Map(
    state === undefined ? [] : [[container.name, state]],
  );
  const pod = aPod({ containers: [container] });
  const place = { pod, container, volumePaths: NO_PATHS };
  return referencesFor(someFacts({ pod, references }), place, NOW_MS);
}

Deno.test("referencesFor() waits for nothing where nothing is referred to", () => {
  const container = aContainer({
    env: [
      { name: "A", value: "1" },
      { name: "B", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
    ],
  });
  assert.deepEqual(looked(container), {
    kind: "ready",
    services: new Map(),
    found: undefined,
  });
});

Deno.test("referencesFor() asks once, and again when the time has come", () => {
  const asked = (state?: ReferenceState) => {
    const found = looked(NEEDY, state);
    assert.ok(found.kind === "wait");
    return [found.blocker.what, found.actions.map(({ kind }) => kind)];
  };
  const failed = {
    kind: "failed",
    message: 'configmap "c" not found',
    count: 2,
    failedAtMs: NOW_MS - 1000,
  } as const;
  assert.deepEqual(asked(), ["environment", ["ensure-references"]]);
  assert.deepEqual(
    asked({ kind: "collecting", sinceMs: NOW_MS }),
    ["environment", []],
  );
  assert.deepEqual(
    asked({ ...failed, retryAtMs: NOW_MS + 1 }),
    ["CreateContainerConfigError", []],
  );
  assert.deepEqual(
    asked({ ...failed, retryAtMs: NOW_MS }),
    ["CreateContainerConfigError", ["ensure-references"]],
  );
  const found = { envFrom: new Map(), env: new Map() };
  const ready = looked(NEEDY, { kind: "found", found });
  assert.equal(ready.kind === "ready" && ready.found, found);
});

Deno.test("referencesFor() waits for the services, but not of a static pod", () => {
  const container = aContainer();
  for (const [source, expected] of [["api", "wait"], ["file", "ready"]]) {
    const annotations = { [CONFIG_SOURCE]: source ?? "" };
    const pod = aPod({ annotations, containers: [container] });
    const facts = someFacts({ pod, services: undefined });
    const place = { pod, container, volumePaths: NO_PATHS };
    const found = referencesFor(facts, place, NOW_MS);
    assert.equal(found.kind, expected);
  }
});
