import assert from "node:assert/strict";
import {
  isClaimableResource,
  isExtendedResource,
  isPodLevelResource,
  isScalarResource,
} from "./resource_name.ts";

Deno.test("resource names tell what kind of resource they stand for", () => {
  const kinds = (name: string) => [
    ...isExtendedResource(name) ? ["extended"] : [],
    ...isScalarResource(name) ? ["scalar"] : [],
    ...isPodLevelResource(name) ? ["pod"] : [],
    ...isClaimableResource(name) ? ["claimable"] : [],
  ];
  const table: [string, string[]][] = [
    ["cpu", ["pod"]],
    ["memory", ["pod"]],
    ["ephemeral-storage", []],
    ["pods", []],
    ["__proto__", []],
    ["hugepages-2Mi", ["scalar", "pod"]],
    ["attachable-volumes-x", ["scalar"]],
    ["example.com/gpu", ["extended", "scalar", "claimable"]],
    ["example.com/gpu/x", []],
    ["Example.com/gpu", []],
    ["requests.example.com/gpu", []],
    ["kubernetes.io/x", ["scalar"]],
    ["mykubernetes.io/x", ["scalar"]],
    ["deviceclass.resource.kubernetes.io/x", ["scalar", "claimable"]],
    [`example.com/${"x".repeat(64)}`, []],
    // Compat: `requests.` counts towards the longest domain.
    [`${"a".repeat(250)}/x`, []],
  ];
  for (const [name, expected] of table) {
    assert.deepEqual(kinds(name), expected, name);
  }
});
