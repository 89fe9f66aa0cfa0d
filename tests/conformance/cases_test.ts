import assert from "node:assert/strict";
import {
  gist,
  IMPOSSIBLE,
  isInFifth,
  isWanted,
  outcomes,
  patternOf,
} from "./cases.ts";

const NAME = "[sig-node] Pods should get a host IP [NodeConformance]";

Deno.test("isWanted() takes what one node can be judged by", () => {
  assert.ok(isWanted(NAME));
  assert.ok(!isWanted(`${NAME} [Serial]`));
  assert.ok(!isWanted("[sig-node] Pods should do [Conformance]"));
  const [first] = IMPOSSIBLE;
  assert.ok(!isWanted(`[sig-node] ${first?.text} [LinuxOnly]`));
});

Deno.test("isInFifth() takes at least one in five, always the same", () => {
  const names = Array.from({ length: 1000 }, (_, i) => `case ${i}`);
  const taken = names.filter(isInFifth);
  assert.ok(taken.length >= 200 && taken.length < 300, `${taken.length}`);
  assert.deepEqual(names.filter(isInFifth), taken);
});

Deno.test("patternOf() matches each name to the letter", () => {
  const odd = 'with "a.b" (c|d) [e] * $';
  const pattern = new RegExp(patternOf([NAME, odd]));
  assert.ok(pattern.test(NAME));
  assert.ok(pattern.test(odd));
  assert.ok(!pattern.test('with "aXb" (c|d) [e] * $'));
  assert.ok(!pattern.test(`${NAME} and more`));
});

Deno.test("outcomes() leaves out set-up and what was not chosen", () => {
  const found = outcomes([{
    SpecReports: [
      {
        ContainerHierarchyTexts: null,
        LeafNodeText: "",
        LeafNodeType: "SynchronizedBeforeSuite",
        State: "passed",
      },
      {
        ContainerHierarchyTexts: ["a"],
        LeafNodeText: "b",
        LeafNodeType: "It",
        State: "failed",
        RunTime: 2e9,
        Failure: { Message: "no" },
      },
      {
        ContainerHierarchyTexts: ["a"],
        LeafNodeText: "c",
        LeafNodeType: "It",
        State: "skipped",
      },
      {
        ContainerHierarchyTexts: ["a"],
        LeafNodeText: "d",
        LeafNodeType: "It",
        State: "skipped",
        Failure: { Message: "not here" },
      },
    ],
  }]);
  assert.deepEqual(found, [
    { name: "a b", state: "failed", seconds: 2, message: "no" },
    { name: "a d", state: "skipped", seconds: 0, message: "not here" },
  ]);
});

Deno.test("gist() leaves out the middle of what is long", () => {
  assert.deepEqual(gist("one\ntwo\n"), ["one", "two"]);
  const lines = Array.from({ length: 40 }, (_, at) => `${at}`);
  const found = gist(lines.join("\n"));
  assert.deepEqual(found.slice(0, 6), ["0", "1", "2", "3", "…", "28"]);
  assert.equal(found.at(-1), "39");
});
