import assert from "node:assert/strict";
import { LONGEST_MANIFEST_BYTES } from "./text.ts";
import { readManifest } from "./manifest.ts";

const HEAD = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n";
const WHOLE = `${HEAD}spec: {containers: [{name: a, image: x}]}\n`;

const place = {
  origin: { kind: "file", location: "/m/web.yaml" },
  mayReference: false,
  nodeName: "node-1",
} as const;
const read = (data: string | Uint8Array) =>
  readManifest(
    typeof data === "string" ? new TextEncoder().encode(data) : data,
    place,
  );
const shown = (data: string | Uint8Array) =>
  read(data).findings.map(({ severity, line, column, message }) =>
    `${severity} ${line ?? "-"}:${column ?? "-"} ${message}`
  );

Deno.test("readManifest() gives a complete pod", () => {
  const { pods, findings } = read(WHOLE);
  assert.deepEqual(findings, []);
  assert.equal(pods.length, 1);
  const pod = pods[0]?.pod;
  assert.equal(pod?.metadata?.name, "web-node-1");
  assert.equal(pod?.metadata?.namespace, "default");
  assert.equal(pod?.metadata?.uid, pods[0]?.uid);
  assert.match(pods[0]?.uid ?? "", /^[0-9a-f]{32}$/);
  assert.equal(pod?.spec?.nodeName, "node-1");
  assert.equal(pod?.spec?.restartPolicy, "Always");
  assert.equal(pod?.status?.phase, "Pending");
});

const REFUSED: readonly (readonly [string, string | Uint8Array, string])[] = [
  ["an empty file", "", "error -:- the file is empty"],
  [
    "a binary file",
    new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 0]),
    "error -:- the file is binary: a NUL is at byte 4, want YAML text",
  ],
  [
    "a file too long",
    new Uint8Array(LONGEST_MANIFEST_BYTES + 1).fill(35),
    "error -:- the file is longer than 10485760 bytes",
  ],
  [
    "another kind",
    "apiVersion: v1\nkind: Service\nmetadata: {name: x}\n",
    'error 2:1 kind: is "Service", want "Pod", "PodList" or "List"',
  ],
  [
    "another version",
    "apiVersion: v2\nkind: Pod\n",
    'error 1:1 apiVersion: is "v2", want "v1"',
  ],
  ["no object", "- a\n", "error 1:1 found list, want a Pod object"],
  [
    "no name",
    "apiVersion: v1\nkind: Pod\nmetadata:\n  labels: {a: b}\nspec: {}\n",
    "error 3:1 metadata.name: Required value: name is needed for the pod",
  ],
  [
    "a name twice",
    `${HEAD}spec:\n  containers:\n  - {name: a, image: x}\n` +
    `  - image: w\n    name: a\n`,
    'error 8:5 spec.containers[1].name: Duplicate value: "a"',
  ],
  [
    "no image",
    `${HEAD}spec:\n  containers:\n  - name: a\n`,
    "error 6:5 spec.containers[0].image: Required value",
  ],
  [
    "a number where text is wanted",
    `${HEAD}spec: {containers: [{name: a, image: x, args: [1]}]}\n`,
    "error 4:48 spec.containers[0].args[0]: found number 1, want text (put " +
    "it in quotes)",
  ],
  [
    "a number too large",
    `${HEAD}spec: {priority: 3000000000, containers: [{name: a, image: x}]}\n`,
    "error 4:8 spec.priority: Invalid value: 3000000000: must be between " +
    "-2147483648 and 2147483647, inclusive",
  ],
  [
    "a quantity that is none",
    `${HEAD}spec:\n  containers:\n  - name: a\n    image: x\n` +
    `    resources: {limits: {cpu: 1 core}}\n`,
    "error 8:26 spec.containers[0].resources.limits[cpu]: Invalid value: " +
    '"1 core": want a quantity such as "500m", "1.5" or "64Mi"',
  ],
  [
    "a uid that is a path",
    "apiVersion: v1\nkind: Pod\nmetadata: {name: web, uid: ../../etc}\n",
    'error 3:23 metadata.uid: Invalid value: "../../etc": must match ' +
    "^[A-Za-z0-9][-A-Za-z0-9_.]{0,62}$",
  ],
  [
    "a secret",
    `${HEAD}spec:\n  volumes: [{name: s, secret: {secretName: x}}]\n` +
    `  containers: [{name: a, image: x}]\n`,
    "error 5:23 static pods may not reference secrets (via secret volumes)",
  ],
];

for (const [what, data, message] of REFUSED) {
  Deno.test(`readManifest() refuses ${what}`, () => {
    assert.deepEqual(read(data).pods, []);
    assert.deepEqual(shown(data), [message]);
  });
}

Deno.test("readManifest() takes every pod of a List", () => {
  const item = (name: string, kind: string) =>
    `- apiVersion: v1\n  kind: ${kind}\n  metadata: {name: ${name}}\n` +
    `  spec: {containers: [{name: a, image: x}]}\n`;
  const list = `apiVersion: v1\nkind: List\nitems:\n${item("a", "Pod")}` +
    `${item("b", "Secret")}${item("c", "Pod")}`;
  const { pods } = read(list);
  assert.deepEqual(pods.map(({ pod }) => pod.metadata?.name), [
    "a-node-1",
    "c-node-1",
  ]);
  assert.deepEqual(shown(list), [
    'error 9:3 kind: is "Secret", want "Pod", "PodList" or "List"',
  ]);
});

Deno.test("readManifest() takes a PodList whose items have no kind", () => {
  const list = JSON.stringify({
    apiVersion: "v1",
    kind: "PodList",
    items: [{
      metadata: { name: "a" },
      spec: { containers: [{ name: "a", image: "x" }] },
    }],
  });
  assert.deepEqual(shown(list), []);
  assert.equal(read(list).pods.length, 1);
});

Deno.test("readManifest() keeps a broken pod from the others", () => {
  const text = `${WHOLE}---\n${HEAD}spec: {}\n---\n${
    WHOLE.replace("web", "other")
  }`;
  assert.equal(read(text).pods.length, 2);
  assert.deepEqual(shown(text), [
    "error 9:1 spec.containers: Required value",
  ]);
});

Deno.test("readManifest() warns of fields nobody knows", () => {
  const text = `${HEAD}spec:\n  containres: []\n` +
    `  containers: [{name: a, image: x, Image: w}]\n`;
  assert.equal(read(text).pods.length, 1);
  assert.deepEqual(shown(text), [
    "warning 5:3 spec.containres: unknown field, ignored",
    "warning 6:36 spec.containers[0].Image: unknown field, ignored",
  ]);
});

Deno.test("readManifest() delivers hostile keys as they are", () => {
  const text = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n" +
    "  annotations: {constructor: a, toString: b}\n  labels: {valueOf: c}\n" +
    "  __proto__: {polluted: d}\n" +
    "spec: {containers: [{name: a, image: x}], __proto__: {polluted: e}}\n";
  const [found] = read(text).pods;
  const { annotations, labels } = found?.pod.metadata ?? {};
  assert.equal(annotations?.["constructor"], "a");
  assert.equal(annotations?.["toString"], "b");
  assert.equal(labels?.["valueOf"], "c");
  assert.equal(labels?.["toString"], undefined);
  assert.equal(Object.getPrototypeOf(labels), null);
  assert.equal(Object.hasOwn(Object.prototype, "polluted"), false);
  assert.equal("polluted" in (found?.pod.spec ?? {}), false);
});

Deno.test("readManifest() keeps quantities as written", () => {
  const text = `${HEAD}spec:\n  containers:\n  - name: a\n    image: x\n` +
    `    resources: {limits: {cpu: 1.10, memory: 9007199254740993}}\n`;
  const [container] = read(text).pods[0]?.pod.spec?.containers ?? [];
  assert.equal(container?.resources?.limits?.["cpu"], "1.10");
  assert.equal(container?.resources?.limits?.["memory"], "9007199254740993");
});

Deno.test("readManifest() shortens an endless list of problems", () => {
  const ports = Array.from({ length: 90 }, () => "{containerPort: 0}");
  const text = `${HEAD}spec:\n  containers:\n  - name: a\n    image: x\n` +
    `    ports: [${ports.join(", ")}]\n`;
  const { findings } = read(text);
  assert.equal(findings.length, 51);
  assert.equal(findings.at(-1)?.message, "and 40 more of these");
});

Deno.test("readManifest() lets references pass where the gate is open", () => {
  const text = `${HEAD}spec:\n  volumes: [{name: s, secret: {secretName: x}},` +
    ` {name: p, projected: {sources: [{clusterTrustBundle: {path: a}}]}}]\n` +
    `  containers: [{name: a, image: x}]\n`;
  const { findings } = readManifest(new TextEncoder().encode(text), {
    ...place,
    mayReference: true,
  });
  assert.ok(findings.every(({ message }) => !message.includes("reference")));
  assert.ok(
    findings.some(({ message }) => message.includes("ClusterTrustBundle")),
  );
});
