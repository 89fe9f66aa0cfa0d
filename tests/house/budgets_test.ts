/** The budgets of the house, over every file; and proof that breaking shows. */
import assert from "node:assert/strict";
import {
  type Exception,
  measure,
  overBudget,
  staleExceptions,
} from "./budgets.ts";
import exceptions from "./exceptions.json" with { type: "json" };
import { readSource, readSources, ROOT, sourcePaths } from "./source.ts";

const LIST: readonly Exception[] = exceptions;

const measures = readSources(sourcePaths(ROOT), ROOT).flatMap(measure);

Deno.test("everything keeps its budget or has an exception", () => {
  assert.deepEqual(overBudget(measures, LIST), []);
});

Deno.test("every exception has a reason and is still needed", () => {
  assert.deepEqual(staleExceptions(measures, LIST), []);
});

/** What is over budget in `code`, by rule. */
function rulesBroken(path: string, code: string): string[] {
  return measure(readSource(path, code))
    .filter((found) => found.value > found.budget)
    .map((found) => found.rule);
}

const lines = (count: number) => "// line\n".repeat(count);

Deno.test("measure() knows the lines of a file", () => {
  assert.deepEqual(rulesBroken("lib/pod/x.ts", lines(300)), []);
  assert.deepEqual(rulesBroken("lib/pod/x.ts", lines(301)), ["file-lines"]);
  assert.deepEqual(rulesBroken("lib/pod/x_test.ts", lines(400)), []);
  assert.deepEqual(rulesBroken("tests/x.ts", lines(401)), ["file-lines"]);
  assert.deepEqual(rulesBroken("main.ts", lines(80)), []);
  assert.deepEqual(rulesBroken("main.ts", lines(81)), ["file-lines"]);
});

Deno.test("measure() knows the lines of a function", () => {
  const f = (count: number) => `export function f() {\n${lines(count)}}`;
  assert.deepEqual(rulesBroken("lib/pod/x.ts", f(58)), []);
  assert.deepEqual(rulesBroken("lib/pod/x.ts", f(59)), ["function-lines"]);
  assert.deepEqual(rulesBroken("lib/pod/x_test.ts", f(90)), []);
  const method = `class A {\n#run() {\n${lines(59)}}\n}`;
  assert.deepEqual(
    overBudget(measure(readSource("lib/pod/x.ts", method)), []).map((line) =>
      line.split(":")[1]
    ),
    ["2 function-lines of #run"],
  );
});

Deno.test("measure() knows the parameters of functions and signatures", () => {
  const many = "(a: A, b: B, c: C, d: D)";
  for (
    const code of [
      `function f${many} {}`,
      `const f = ${many} => a;`,
      `class A { f${many} {} }`,
      `interface A { f${many}: void }`,
    ]
  ) {
    assert.deepEqual(rulesBroken("lib/pod/x.ts", code), ["parameters"], code);
  }
  const three = "function f(a: A, b: B, signal: AbortSignal) {}";
  assert.deepEqual(rulesBroken("lib/pod/x.ts", three), []);
});

Deno.test("measure() knows the folders a file imports from", () => {
  const from = (rooms: string[]) =>
    rooms.map((room, index) => `import { x${index} } from '../${room}/x.ts';`)
      .join("\n");
  const six = ["base", "api", "port", "config", "pod", "probe"];
  assert.deepEqual(rulesBroken("lib/sync/x.ts", from([...six, "sync"])), []);
  assert.deepEqual(rulesBroken("lib/sync/x.ts", from([...six, "image"])), [
    "folders",
  ]);
  assert.deepEqual(rulesBroken("lib/agent.ts", from([...six, "image"])), []);
});

Deno.test("measure() counts house rules that a comment switches off", () => {
  const ignore = "// deno-lint-" + "ignore house/no-as no-console -- why";
  assert.deepEqual(rulesBroken("lib/pod/x.ts", ignore), ["house/no-as"]);
  const all = "// deno-lint-" + "ignore-file";
  assert.deepEqual(rulesBroken("lib/pod/x.ts", all), ["house/*"]);
});

Deno.test("an exception covers up to what it allows, and goes stale", () => {
  const over = measure(readSource("lib/pod/x.ts", lines(320)));
  const within = measure(readSource("lib/pod/x.ts", lines(290)));
  const entry: Exception = {
    rule: "file-lines",
    file: "lib/pod/x.ts",
    allowed: 320,
    reason: "One table that people read as a whole.",
  };
  assert.deepEqual(overBudget(over, [entry]), []);
  assert.deepEqual(staleExceptions(over, [entry]), []);
  assert.equal(overBudget(over, [{ ...entry, allowed: 310 }]).length, 1);
  assert.equal(overBudget(over, [{ ...entry, file: "lib/y.ts" }]).length, 1);
  assert.equal(staleExceptions(within, [entry]).length, 1);
  assert.equal(staleExceptions(over, [{ ...entry, reason: "" }]).length, 1);
});
