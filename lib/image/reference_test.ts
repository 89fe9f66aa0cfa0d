import assert from "node:assert/strict";
import { nameFault, repositoryOf, withoutTag, withTag } from "./reference.ts";

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
    [`app@sha256:${"A".repeat(64)}`, undefined],
    [`app@md5:${"a".repeat(32)}`, undefined],
    ["a".repeat(64), undefined],
    [`app@${digest}@${digest}`, undefined],
    ["app 1", undefined],
    [`${"a".repeat(256)}`, undefined],
    [`app:${"a".repeat(129)}`, undefined],
  ];
  for (const [image, expected] of cases) {
    assert.equal(withTag(image), expected, image);
  }
});

Deno.test("withoutTag() and repositoryOf() cut and spell out", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const cases: [string, string | undefined, string | undefined][] = [
    ["busybox", "busybox", "docker.io/library/busybox"],
    [`busybox:1@${digest}`, "busybox", "docker.io/library/busybox"],
    ["a/b:1", "a/b", "docker.io/a/b"],
    ["docker.io/b:1", "docker.io/b", "docker.io/library/b"],
    ["index.docker.io/a/b", "index.docker.io/a/b", "docker.io/a/b"],
    ["r:5000/b:1", "r:5000/b", "r:5000/b"],
    [`localhost/b@${digest}`, "localhost/b", "localhost/b"],
    ["Not A Name", undefined, undefined],
  ];
  for (const [image, path, repository] of cases) {
    assert.equal(withoutTag(image), path, image);
    assert.equal(repositoryOf(image), repository, image);
  }
});

Deno.test("nameFault() says what is wrong in upstream's words", () => {
  const plain = "invalid reference format";
  const upper = (path: string) =>
    `${plain}: repository name (${path}) must be lowercase`;
  const table: [string, string][] = [
    ["Not:An:Image", upper("library/Not")],
    ["example.org/Team/app:1", upper("Team/app")],
    ["team/App", upper("team/App")],
    ["app:-x", plain],
    ["", plain],
  ];
  for (const [image, expected] of table) {
    assert.equal(nameFault(image), expected, image);
  }
});
