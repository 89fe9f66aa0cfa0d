import assert from "node:assert/strict";
import { aContainer, aPod } from "../../tests/build.ts";
import type { V1Pod } from "../api/types.ts";
import { missing, shortages } from "./fit.ts";

const ALLOCATABLE = new Map([
  ["pods", "3"],
  ["cpu", "2"],
  ["memory", "1Ki"],
  ["example.com/gpu", "1"],
  ["example.com/none", "0"],
]);

const asking = (requests: Record<string, string>) =>
  aContainer({ resources: { requests } });
const wanting = (requests: Record<string, string>) =>
  aPod({ containers: [asking(requests)] });

Deno.test("shortages() leaves out extended resources the node does not know", () => {
  const mapping = {
    containerName: "web",
    resourceName: "example.com/none",
    requestName: "r",
  };
  const claimed: V1Pod = {
    ...wanting({ "example.com/none": "1" }),
    status: {
      extendedResourceClaimStatus: {
        resourceClaimName: "c",
        requestMappings: [mapping],
      },
    },
  };
  const initContainers = [asking({ "example.com/new": "5" })];
  const overhead = { "example.com/new": "5" };
  const table: [string, V1Pod, string[]][] = [
    ["enough", wanting({ "example.com/gpu": "1" }), []],
    ["few", wanting({ "example.com/gpu": "2" }), ["example.com/gpu"]],
    ["none", wanting({ "example.com/none": "1" }), ["example.com/none"]],
    ["no need", wanting({ "example.com/none": "0" }), []],
    ["given by a claim", claimed, []],
    ["unknown", wanting({ "example.com/new": "5" }), []],
    ["unknown, at the start", aPod({ spec: { initContainers } }), []],
    // Compat: overhead is not looked at.
    ["overhead", aPod({ spec: { overhead } }), ["example.com/new"]],
    ["native", wanting({ "kubernetes.io/x": "1" }), ["kubernetes.io/x"]],
    ["huge", wanting({ "hugepages-1Gi": "1Gi" }), ["hugepages-1Gi"]],
    [
      "no resources of a node",
      wanting(JSON.parse('{"__proto__":"5","pods":"9","other":"1"}')),
      [],
    ],
  ];
  for (const [title, pod, expected] of table) {
    const found = shortages(pod, ALLOCATABLE, []);
    assert.deepEqual(found.map(({ resource }) => resource), expected, title);
  }
});

Deno.test("shortages() names all that is missing, and how much", () => {
  const pod = wanting({ "example.com/gpu": "2", memory: "2Ki", cpu: "1" });
  const other = wanting({ cpu: "1500m", memory: "1" });
  const found = shortages(pod, ALLOCATABLE, [other, other, aPod()]);
  assert.deepEqual(
    found.map((each) => [each.resource, missing(each)]),
    [["pods", 1n], ["cpu", 2000n], ["memory", 1026n], ["example.com/gpu", 1n]],
  );
});
