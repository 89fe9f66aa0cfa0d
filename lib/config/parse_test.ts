import assert from "node:assert/strict";
import { parseConfigDocument } from "./parse.ts";
import { jsonOf } from "./tree.ts";

const HEADER = "apiVersion: kubelet.config.k8s.io/v1beta1\n" +
  "kind: KubeletConfiguration\n";

function parse(text: string) {
  return parseConfigDocument({ path: "/c.yaml", text }, "file");
}

function valueOf(text: string): unknown {
  const parsed = parse(HEADER + text);
  if (parsed.kind === "invalid") throw new Error(parsed.message);
  return JSON.parse(JSON.stringify(jsonOf(parsed.root)));
}

function refusal(text: string): string {
  const parsed = parse(text);
  if (parsed.kind === "ok") throw new Error("It was accepted");
  assert.ok(!parsed.message.includes("\n"), parsed.message);
  return parsed.message;
}

Deno.test("parseConfigDocument() reads YAML 1.1 as Go does", () => {
  assert.deepEqual(
    valueOf('a: yes\nb: off\nc : 010\nd: "10"\ne: 2001-01-01\nf: 1:30\ng: ~\n'),
    { a: true, b: false, c: 8, d: "10", e: "2001-01-01", f: "1:30", g: null },
  );
});

Deno.test("parseConfigDocument() reads JSON, aliases and a leading ---", () => {
  const json = '{"kind":"KubeletConfiguration",' +
    '"apiVersion":"kubelet.config.k8s.io/v1beta1","a":{"b":[1,"2"]}}';
  const parsed = parse(json);
  assert.ok(parsed.kind === "ok");
  assert.equal(JSON.stringify(jsonOf(parsed.root)), '{"a":{"b":[1,"2"]}}');
  assert.deepEqual(valueOf("a: &x [1]\nb: *x"), { a: [1], b: [1] });
  assert.equal(parse(`# c\n---\n${HEADER}---\n`).kind, "ok");
});

Deno.test("parseConfigDocument() tells where each value stands", () => {
  const parsed = parse(`${HEADER}a:\n  b: 1\n`);
  assert.ok(parsed.kind === "ok");
  const a = parsed.root.entries.get("a");
  assert.ok(a?.kind === "map");
  assert.deepEqual(a.entries.get("b")?.origin, {
    kind: "file",
    path: "/c.yaml",
    line: 4,
    column: 3,
  });
});

Deno.test("parseConfigDocument() warns of a key set twice; the last counts", () => {
  const parsed = parse(`${HEADER}port: 1\nport: 2\n`);
  assert.ok(parsed.kind === "ok");
  assert.deepEqual(parsed.warnings, [
    "/c.yaml:4:1: port: set twice; the last one counts",
  ]);
  assert.equal(JSON.stringify(jsonOf(parsed.root)), '{"port":2}');
});

Deno.test("parseConfigDocument() keeps __proto__ an ordinary key", () => {
  const parsed = parse(`${HEADER}__proto__: {port: 1}\nconstructor: 2\n`);
  assert.ok(parsed.kind === "ok");
  assert.deepEqual([...parsed.root.entries.keys()], [
    "__proto__",
    "constructor",
  ]);
});

const bomb = HEADER + "a: &a [x,x,x,x,x,x,x,x,x]\n" +
  ["b", "c", "d", "e", "f", "g", "h"].map((name, i) => {
    const before = "abcdefg"[i];
    return `${name}: &${name} [${`*${before},`.repeat(9).slice(0, -1)}]\n`;
  }).join("");

const BAD: readonly (readonly [string, RegExp])[] = [
  ["", /^\/c.yaml: the file is empty$/],
  [" \n", /the file is empty$/],
  ["# only a comment\n", /holds 0 documents/],
  ["port: 1\n", /^\/c.yaml: apiVersion is missing/],
  ["apiVersion: kubelet.config.k8s.io/v1beta1\n", /: kind is missing/],
  [
    "apiVersion: v1\nkind: KubeletConfiguration\n",
    /^\/c.yaml:1:1: apiVersion: must be kubelet\.config\.k8s\.io\/v1beta1$/,
  ],
  [
    "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: Pod\n",
    /^\/c.yaml:2:1: kind: must be/,
  ],
  ["a: [1\nb: 2\n", /^\/c.yaml:\d+:\d+: /],
  ["{", /^\/c.yaml:\d+:\d+: /],
  ["- a\n", /must be a map/],
  ["hello\n", /must be a map/],
  ["\x7fELF\x00\x01", /is not a text file/],
  ["\ufffd\ufffd", /is not a text file/],
  [`${HEADER}---\n${HEADER}`, /holds 2 documents; exactly one/],
  [`${HEADER}? [a]\n: b\n`, /a key must be text/],
  [`${HEADER}a: *x\n`, /alias/i],
  [bomb, /holds or expands to over 20000 values/],
  [`${HEADER}a: &a [*a]\n`, /alias|nested|expands/i],
  [`${HEADER}a: ${"[".repeat(100)}${"]".repeat(100)}`, /nested over 64/],
  [`${HEADER}a: ${"[".repeat(20_000)}`, /nested too deeply$/],
  [`${HEADER}${"# x\n".repeat(2_500_000)}`, /characters; at most 1048576/],
];

Deno.test("parseConfigDocument() refuses bad texts in one line", () => {
  for (const [text, expected] of BAD) assert.match(refusal(text), expected);
});
