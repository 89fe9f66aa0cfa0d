import assert from "node:assert/strict";
import { aContainer, aPod } from "../../tests/build.ts";
import { podLimit } from "./pod_limit.ts";
import { units } from "./quantity.ts";
import type { V1PodSpec } from "./types.ts";

const MIB = 1024n ** 2n;
const SMALL = { cpu: "100m", memory: "100Mi" };
const limited = (memory: string) =>
  aContainer({ resources: { limits: { memory } } });

Deno.test("podLimit() is all that a pod may have of memory", () => {
  const free = aContainer({ name: "free", resources: { requests: SMALL } });
  const table: [string, Partial<V1PodSpec>, bigint | undefined][] = [
    ["nothing said", { containers: [aContainer()] }, undefined],
    ["one without", { containers: [limited("1Mi"), free] }, undefined],
    ["all limited", { containers: [limited("1Mi"), limited("2Mi")] }, 3n],
    ["an init container that takes more", {
      containers: [limited("1Mi")],
      initContainers: [limited("8Mi")],
    }, 8n],
    ["an init container without", {
      containers: [limited("1Mi")],
      initContainers: [free],
    }, undefined],
    ["overhead", {
      containers: [limited("1Mi")],
      overhead: { memory: "1Mi" },
    }, 2n],
    ["for the pod as a whole", {
      containers: [free, limited("1Mi")],
      resources: { limits: { memory: "64Mi" } },
    }, 64n],
    ["processors for the pod, memory for each", {
      containers: [limited("1Mi")],
      resources: { limits: { cpu: "1" } },
    }, 1n],
  ];
  for (const [name, spec, mib] of table) {
    const { containers = [], ...rest } = spec;
    const found = podLimit(aPod({ containers, spec: rest }), "memory");
    const bytes = found === undefined ? undefined : units(found);
    assert.equal(bytes, mib === undefined ? undefined : mib * MIB, name);
  }
});
