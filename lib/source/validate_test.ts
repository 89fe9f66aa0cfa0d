/**
 * What the API server would refuse, and what not. Every case was compared
 * with the validation of kubernetes v1.36.3 itself: the same pods are refused
 * for the same reasons; only paths are more exact here, where upstream names
 * no more than a list.
 */
import assert from "node:assert/strict";
import { readManifest } from "./manifest.ts";
import type { Finding } from "./types.ts";
import cases from "./validate_cases.json" with { type: "json" };

for (const { name, metadata, spec, wrong } of cases) {
  Deno.test(`validatePod() judges: ${name}`, () => {
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "web", ...metadata },
      spec: { containers: [{ name: "a", image: "x" }], ...spec },
    };
    const { pods, findings } = readManifest(
      new TextEncoder().encode(JSON.stringify(pod)),
      {
        origin: { kind: "file", location: "/m" },
        mayReference: false,
        nodeName: "node-1",
      },
    );
    assert.deepEqual(findings.map(reason), wrong);
    assert.equal(pods.length, wrong.length === 0 ? 1 : 0);
  });
}

/** The field and the kind of fault, without the wording. */
function reason({ field = "", message }: Finding): string {
  if (!message.startsWith(field)) return message;
  return `${field}: ${message.slice(field.length + 2).split(":")[0]}`;
}
