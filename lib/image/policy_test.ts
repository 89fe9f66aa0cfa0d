import assert from "node:assert/strict";
import type { Image } from "../port/images.ts";
import { pullDecision, withTag } from "./policy.ts";

const IMAGE: Image = {
  id: "sha256:aaaa",
  tags: ["app:1"],
  digests: [],
  sizeBytes: 1n,
  isPinned: false,
  userName: "",
};

Deno.test("pullDecision() by policy and presence", () => {
  assert.equal(pullDecision("Always", undefined), "pull");
  assert.equal(pullDecision("Always", IMAGE), "pull");
  assert.equal(pullDecision("IfNotPresent", undefined), "pull");
  assert.equal(pullDecision("IfNotPresent", IMAGE), "use");
  assert.equal(pullDecision("Never", undefined), "refuse");
  assert.equal(pullDecision("Never", IMAGE), "use");
});

Deno.test("withTag() completes names and refuses what is none", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const cases: [string, string | undefined][] = [
    ["busybox", "busybox:latest"],
    ["busybox:1.36", "busybox:1.36"],
    ["library/busybox", "library/busybox:latest"],
    ["registry.example.org:5000/a/b", "registry.example.org:5000/a/b:latest"],
    ["registry.example.org:5000/a/b:v1", "registry.example.org:5000/a/b:v1"],
    ["localhost/a", "localhost/a:latest"],
    ["[2001:db8::1]:5000/a", "[2001:db8::1]:5000/a:latest"],
    ["a__b/c--d.e", "a__b/c--d.e:latest"],
    ["Registry/app", "Registry/app:latest"],
    [`app@${digest}`, `app@${digest}`],
    [`app:1@${digest}`, `app:1@${digest}`],
    ["", undefined],
    ["Busybox", undefined],
    ["app:", undefined],
    ["app:-x", undefined],
    ["app//b", undefined],
    ["app/", undefined],
    ["app@sha256:short", undefined],
    [`app@${digest}@${digest}`, undefined],
    ["app 1", undefined],
    [`${"a".repeat(256)}`, undefined],
    [`app:${"a".repeat(129)}`, undefined],
  ];
  for (const [image, expected] of cases) {
    assert.equal(withTag(image), expected, image);
  }
});
