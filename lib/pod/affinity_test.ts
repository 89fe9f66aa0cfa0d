import assert from "node:assert/strict";
import { aPod } from "../../tests/build.ts";
import type {
  V1NodeSelectorRequirement,
  V1NodeSelectorTerm,
} from "../api/types.ts";
import { wantsNode } from "./affinity.ts";

const NODE = {
  name: "node-1",
  labels: new Map([["zone", "a"], ["cores", "8"], ["empty", ""]]),
};

const withTerms = (nodeSelectorTerms: V1NodeSelectorTerm[]) =>
  wantsNode(
    aPod({
      spec: {
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms,
            },
          },
        },
      },
    }),
    NODE,
  );

Deno.test("wantsNode() compares the node selector label by label", () => {
  const table: [Record<string, string>, boolean][] = [
    [{}, true],
    [{ zone: "a" }, true],
    [{ zone: "b" }, false],
    [{ zone: "a", other: "x" }, false],
    [{ empty: "" }, true],
    [{ absent: "" }, false],
    [JSON.parse('{"__proto__":"a"}'), false],
  ];
  for (const [nodeSelector, expected] of table) {
    const found = wantsNode(aPod({ spec: { nodeSelector } }), NODE);
    assert.equal(found, expected, JSON.stringify(nodeSelector));
  }
});

Deno.test("wantsNode() knows the operators on labels", () => {
  const table: [string, string, string[] | undefined, boolean][] = [
    ["zone", "In", ["a", "b"], true],
    ["zone", "In", ["b"], false],
    ["absent", "In", ["a"], false],
    ["zone", "In", [], false],
    ["zone", "NotIn", ["b"], true],
    ["zone", "NotIn", ["a"], false],
    ["absent", "NotIn", ["a"], true],
    ["zone", "NotIn", [], false],
    ["zone", "Exists", undefined, true],
    ["empty", "Exists", [], true],
    ["absent", "Exists", [], false],
    ["zone", "Exists", ["a"], false],
    ["absent", "DoesNotExist", [], true],
    ["zone", "DoesNotExist", [], false],
    ["absent", "DoesNotExist", ["a"], false],
    ["cores", "Gt", ["7"], true],
    ["cores", "Gt", ["8"], false],
    ["cores", "Lt", ["9"], true],
    ["cores", "Lt", ["08"], false],
    ["cores", "Gt", ["1", "2"], false],
    ["cores", "Gt", ["-1"], false],
    ["cores", "Lt", ["9223372036854775807"], true],
    ["cores", "Lt", ["9223372036854775808"], false],
    ["zone", "Gt", ["1"], false],
    ["absent", "Lt", ["1"], false],
    ["zone", "Like", ["a"], false],
    ["not a key", "DoesNotExist", [], false],
    ["zone", "NotIn", ["not a value"], false],
    ["__proto__", "Exists", [], false],
  ];
  for (const [key, operator, values, expected] of table) {
    const requirement: V1NodeSelectorRequirement = {
      key,
      operator,
      ...values && { values },
    };
    const found = withTerms([{ matchExpressions: [requirement] }]);
    assert.equal(found, expected, `${key} ${operator} ${values}`);
  }
});

Deno.test("wantsNode() knows the name of the node as a field", () => {
  const table: [string, string, string[], boolean][] = [
    ["metadata.name", "In", ["node-1"], true],
    ["metadata.name", "In", ["node-2"], false],
    ["metadata.name", "In", ["node-1", "node-2"], false],
    ["metadata.name", "NotIn", ["node-2"], true],
    ["metadata.name", "NotIn", ["node-1"], false],
    ["metadata.name", "NotIn", [], false],
    ["metadata.name", "Exists", [], false],
    ["metadata.uid", "In", ["x"], false],
  ];
  for (const [key, operator, values, expected] of table) {
    const found = withTerms([{ matchFields: [{ key, operator, values }] }]);
    assert.equal(found, expected, `${key} ${operator} ${values}`);
  }
});

Deno.test("wantsNode() takes any term, and of a term everything", () => {
  const right = { key: "zone", operator: "In", values: ["a"] };
  const wrong = { key: "zone", operator: "In", values: ["b"] };
  const broken = { key: "zone", operator: "Like" };
  const name = { key: "metadata.name", operator: "In", values: ["node-2"] };
  assert.equal(withTerms([]), false);
  assert.equal(withTerms([{}]), false);
  assert.equal(withTerms([{ matchExpressions: [], matchFields: [] }]), false);
  assert.equal(withTerms([{ matchExpressions: [right, wrong] }]), false);
  assert.equal(
    withTerms([{ matchExpressions: [wrong] }, { matchExpressions: [right] }]),
    true,
  );
  assert.equal(
    withTerms([{ matchExpressions: [broken] }, { matchExpressions: [right] }]),
    true,
  );
  assert.equal(withTerms([{ matchExpressions: [right, broken] }]), false);
  assert.equal(
    withTerms([{ matchExpressions: [right], matchFields: [name] }]),
    false,
  );
  const both = aPod({ spec: { nodeSelector: { zone: "b" }, affinity: {} } });
  assert.equal(wantsNode(both, NODE), false);
});
