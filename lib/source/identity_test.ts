import assert from "node:assert/strict";
import type { V1Pod } from "../api/types.ts";
import {
  canonicalJson,
  seenOf,
  timestamp,
  uidFor,
  withIdentity,
  withSeen,
} from "./identity.ts";
import type { Origin } from "./types.ts";

const file: Origin = { kind: "file", location: "/m/web.yaml" };
const url: Origin = { kind: "url", location: "http://x/pods" };
const pod: V1Pod = {
  metadata: { name: "web", labels: { app: "web" } },
  spec: { containers: [{ name: "a", image: "x" }] },
};

Deno.test("uidFor() is 32 hex digits and changes with pod and place", () => {
  const uid = uidFor(pod, file, "node-1");
  const others = [
    uidFor(pod, { ...file, location: "/m/other.yaml" }, "node-1"),
    uidFor(pod, file, "node-2"),
    uidFor(pod, url, "node-1"),
    uidFor({ ...pod, metadata: { name: "web" } }, file, "node-1"),
  ];
  for (const each of [uid, ...others]) assert.match(each, /^[0-9a-f]{32}$/);
  assert.equal(new Set([uid, ...others]).size, 5);
  assert.equal(uidFor(pod, url, "node-1"), uidFor(pod, url, "node-2"));
  // This very value must not change: running pods carry it.
  assert.equal(uid, "84fead95d8c85be0abb95ca0b9c33799");
});

Deno.test("canonicalJson() does not depend on the order of keys", () => {
  assert.equal(
    canonicalJson({ b: [1, { d: null, c: "x" }], a: undefined }),
    canonicalJson({ b: [1, { c: "x", d: null }] }),
  );
});

Deno.test("withIdentity() makes a file's pod a pod of this node", () => {
  const found = withIdentity(pod, "u1", { origin: file, nodeName: "Node-1" });
  const { metadata, spec, status } = found.pod;
  assert.equal(metadata?.name, "web-node-1");
  assert.equal(metadata?.namespace, "default");
  assert.deepEqual({ ...metadata?.annotations }, {
    "kubernetes.io/config.hash": "u1",
    "kubernetes.io/config.source": "file",
  });
  assert.equal(spec?.nodeName, "Node-1");
  assert.deepEqual(spec?.tolerations, [
    { operator: "Exists", effect: "NoExecute" },
  ]);
  assert.deepEqual(status, { phase: "Pending" });
  assert.equal(pod.metadata?.annotations, undefined);
});

Deno.test("withIdentity() gives a URL's pod no toleration", () => {
  const found = withIdentity(pod, "u1", { origin: url, nodeName: "node-1" });
  assert.equal(found.pod.spec?.tolerations, undefined);
  const source = "kubernetes.io/config.source";
  assert.equal(found.pod.metadata?.annotations?.[source], "http");
});

Deno.test("withSeen() adds the time, written as Go would", () => {
  const found = withIdentity(pod, "u1", { origin: file, nodeName: "node-1" });
  assert.equal(seenOf(found), undefined);
  const time = timestamp(Date.UTC(2026, 0, 2, 3, 4, 5, 120));
  assert.equal(time, "2026-01-02T03:04:05.12Z");
  assert.equal(timestamp(Date.UTC(2026, 0, 2)), "2026-01-02T00:00:00Z");
  assert.equal(seenOf(withSeen(found, time)), time);
});
