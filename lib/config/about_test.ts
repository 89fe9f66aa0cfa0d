import assert from "node:assert/strict";
import { aboutOf, aboutText } from "./about.ts";

const RUNTIME = {
  ...{ version: "0.1.0", deno: "2.9.6", v8: "14", target: "x" },
  build: undefined,
};

Deno.test("aboutOf() of a checkout says so", () => {
  const { form, commit, target } = aboutOf(RUNTIME);
  assert.deepEqual([form, commit, target], ["checkout", "unknown", "x"]);
});

Deno.test("aboutOf() takes what the build left, and nothing odd", () => {
  const build = {
    ...{ form: "package", commit: "abc", target: "t" },
    ...{ permissionSet: "node", permissionDigest: "0f" },
  };
  const about = aboutOf({ ...RUNTIME, build });
  assert.equal(about.form, "package");
  const text = aboutText(about, "text");
  assert.match(text, /^permissions {2}node \(0f\)$/m);
  assert.match(text, /^form {9}package, t$/m);
  assert.deepEqual(JSON.parse(aboutText(about, "json")), about);
  const odd = aboutOf({ ...RUNTIME, build: { form: 1, commit: {} } });
  assert.deepEqual([odd.form, odd.commit], ["checkout", "unknown"]);
});
