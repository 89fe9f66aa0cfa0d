import assert from "node:assert/strict";
import { parseFile, parseSteps } from "./file.ts";
import { LONGEST_MANIFEST_BYTES } from "./text.ts";
import type { Tree } from "./tree.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const messageOf = (data: Uint8Array) => {
  const { documents, findings } = parseFile(data);
  assert.equal(documents.length, 0);
  assert.equal(findings.length, 1, JSON.stringify(findings));
  assert.equal(findings[0]?.severity, "error");
  return findings[0]?.message ?? "";
};
const treesOf = (text: string): readonly Tree[] => {
  const { documents, findings } = parseFile(bytes(text));
  assert.deepEqual(findings, []);
  return documents.map(({ tree }) => tree);
};
const object = (fields: Record<string, Tree>) =>
  new Map(Object.entries(fields));

Deno.test("parseFile() says what is wrong with a file that has no text", () => {
  assert.equal(messageOf(bytes("")), "the file is empty");
  assert.match(messageOf(bytes("# only this\n\n")), /only comments/);
  assert.match(messageOf(new Uint8Array([97, 0, 98])), /binary: a NUL .* 1,/);
  assert.match(messageOf(new Uint8Array([97, 0xff, 0xfe])), /UTF-8/);
  const long = new Uint8Array(LONGEST_MANIFEST_BYTES + 1).fill(97);
  assert.match(messageOf(long), /longer than 10485760 bytes/);
});

Deno.test("parseFile() refuses bombs of aliases, depth and size", () => {
  const names = "abcdefghij".split("");
  const bomb = names.map((name, index) => {
    const item = index === 0 ? "x" : `*${names[index - 1]}`;
    return `${name}: &${name} [${Array(9).fill(item).join(",")}]\n`;
  }).join("");
  assert.match(messageOf(bytes(bomb)), /aliases expand to too much/);
  assert.match(messageOf(bytes("a: &a [*a]")), /nested more than 100 deep/);
  assert.match(messageOf(bytes("[".repeat(50_000))), /./);
  const huge = `a: [${"x,".repeat(60_000)}]`;
  assert.match(messageOf(bytes(huge)), /too complex for a pod/);
});

Deno.test("parseFile() says where the text breaks off", () => {
  const { findings } = parseFile(bytes("a: 1\nb: [1, 2\nc: 3\n"));
  assert.equal(findings[0]?.line, 3);
  assert.equal(findings[0]?.column, 1);
  const tab = parseFile(bytes("a:\n\tb: 1\n")).findings[0];
  assert.equal(tab?.line, 2);
});

Deno.test("parseFile() reads several documents and JSON", () => {
  assert.deepEqual(treesOf("---\na: x\n---\nb: [w]\n...\n"), [
    object({ a: "x" }),
    object({ b: ["w"] }),
  ]);
  assert.deepEqual(treesOf('{"a": "yes",\n\t"b": null}'), [
    object({ a: "yes", b: null }),
  ]);
});

Deno.test("parseFile() keeps one broken document from the others", () => {
  const { documents, findings } = parseFile(
    bytes("a: x\n---\nb: *nowhere\n---\nc: w\n"),
  );
  assert.deepEqual(documents.map(({ tree }) => tree), [
    object({ a: "x" }),
    object({ c: "w" }),
  ]);
  assert.equal(findings.length, 1);
  assert.equal(findings[0]?.line, 3);
});

Deno.test("parseFile() merges maps and copies aliases", () => {
  assert.deepEqual(treesOf("a: &a {x: p, z: q}\nb: {<<: *a, z: r}\nc: *a"), [
    object({
      a: object({ x: "p", z: "q" }),
      b: object({ x: "p", z: "r" }),
      c: object({ x: "p", z: "q" }),
    }),
  ]);
});

Deno.test("parseFile() keeps outside names plain and counts the last", () => {
  const text = "__proto__: x\nconstructor: w\na: x\na: z\n";
  const { documents, findings } = parseFile(bytes(text));
  assert.deepEqual(
    documents[0]?.tree,
    new Map([
      ["__proto__", "x"],
      ["constructor", "w"],
      ["a", "z"],
    ]),
  );
  assert.deepEqual(findings, [{
    severity: "warning",
    line: 4,
    column: 1,
    message: 'key "a" is there twice, the last one counts',
  }]);
});

Deno.test("parseFile() finds a field, or what is nearest above", () => {
  const { documents } = parseFile(bytes("a:\n  b:\n  - c: 1\n    d: 2\n"));
  const [document] = documents;
  const at = (...path: (string | number)[]) => document?.locate(path);
  assert.deepEqual(at("a", "b", 0, "d"), { line: 4, column: 5 });
  assert.deepEqual(at("a", "b", 0, "missing"), { line: 3, column: 5 });
  assert.deepEqual(at("nothing"), { line: 1, column: 1 });
});

Deno.test("parseSteps() yields often in a long file", () => {
  const text = Array.from({ length: 300 }, (_, nth) => `a: ${nth}\n`);
  const steps = parseSteps(bytes(text.join("---\n")));
  let count = 0;
  while (steps.next().done !== true) count++;
  assert.ok(count >= 300, String(count));
});
