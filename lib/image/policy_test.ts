import assert from "node:assert/strict";
import type { Image } from "../port/images.ts";
import { pullDecision } from "./policy.ts";

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
