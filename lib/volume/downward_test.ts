import assert from "node:assert/strict";
import { aContainer, aPod } from "../../tests/build.ts";
import { quoted } from "../api/field_path.ts";
import { downwardText } from "./downward.ts";
import { SETTINGS } from "./fixture_test.ts";

const POD = aPod({
  uid: "u1",
  labels: { b: "2", a: 'say "1"\n' },
  annotations: { "x.io/long": "line\\1\tü\u200b", toString: "own" },
  containers: [aContainer({
    resources: {
      limits: { cpu: "1500m", "hugepages-2Mi": "4Mi" },
      requests: { memory: "64Mi" },
    },
  })],
});

function field(fieldPath: string) {
  const item = { path: "p", fieldRef: { fieldPath } };
  const made = downwardText(item, POD, SETTINGS.allocatable());
  return made.kind === "ok" ? made.text : `! ${made.message}`;
}

function resource(resource: string, divisor?: string, containerName = "web") {
  const resourceFieldRef = {
    resource,
    containerName,
    ...(divisor === undefined ? {} : { divisor }),
  };
  const item = { path: "p", resourceFieldRef };
  const made = downwardText(item, POD, SETTINGS.allocatable());
  return made.kind === "ok" ? made.text : `! ${made.message}`;
}

Deno.test("downwardText() tells fields of the pod", () => {
  const table: [string, string][] = [
    ["metadata.name", "shop"],
    ["metadata.namespace", "prod"],
    ["metadata.uid", "u1"],
    ["metadata.labels", 'a="say \\"1\\"\\n"\nb="2"'],
    [
      "metadata.annotations",
      'toString="own"\nx.io/long="line\\\\1\\tü\\u200b"',
    ],
    ["metadata.labels['b']", "2"],
    ["metadata.labels['none']", ""],
    ["metadata.labels['constructor']", ""],
    ["metadata.annotations['toString']", "own"],
    [
      "spec.nodeName['x']",
      "! fieldPath \"spec.nodeName['x']\" does not " +
      "support subscript",
    ],
    ["status.podIP", "! unsupported fieldPath: status.podIP"],
  ];
  for (const [path, expected] of table) assert.equal(field(path), expected);
});

Deno.test("quoted() writes text as Go does", () => {
  const table: [string, string][] = [
    ["", '""'],
    ["a b\u00a0", '"a b\\u00a0"'],
    ["\x00\x1f\x7f", '"\\x00\\x1f\\x7f"'],
    ["\x07\b\f\n\r\t\v", '"\\a\\b\\f\\n\\r\\t\\v"'],
    ["日本🎉", '"日本🎉"'],
    ["\ud800", '"\ufffd"'],
    ["\u{e0001}", '"\\U000e0001"'],
  ];
  for (const [text, expected] of table) assert.equal(quoted(text), expected);
});

Deno.test("downwardText() tells resources, rounded up to the divisor", () => {
  const table: [string, string][] = [
    [resource("limits.cpu"), "2"],
    [resource("limits.cpu", "1m"), "1500"],
    [resource("limits.cpu", "0"), "2"],
    [resource("requests.cpu"), "0"],
    [resource("requests.memory"), String(64 << 20)],
    [resource("requests.memory", "1Mi"), "64"],
    [resource("requests.memory", "100Mi"), "1"],
    [resource("limits.memory", "1Mi"), "1024"],
    [resource("limits.ephemeral-storage", "1Gi"), "10"],
    [resource("limits.hugepages-2Mi", "1Mi"), "4"],
    [resource("limits.hugepages-1Gi", "1Mi"), "0"],
    [resource("limits.pods"), "! unsupported container resource : limits.pods"],
    [resource("cpu"), "! unsupported container resource : cpu"],
    [resource("limits.cpu", "1", "no"), "! container no not found"],
  ];
  for (const [text, expected] of table) assert.equal(text, expected);
});
