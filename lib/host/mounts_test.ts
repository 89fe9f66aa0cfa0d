import assert from "node:assert/strict";
import { AgentError } from "../base/errors.ts";
import { boundCgroup, boundDmi, boundHugePages, boundProc } from "./mounts.ts";

// Without the C library on purpose: with the host's own paths, unbinding would
// take /proc away from everybody.
Deno.test("bound trees never are the host's own", () => {
  for (const runDir of ["", "/", "//", "/./", "run", "/run/../"]) {
    assert.throws(() => boundProc(runDir), AgentError, runDir);
    assert.throws(() => boundCgroup(runDir), AgentError, runDir);
    assert.throws(() => boundDmi(runDir), AgentError, runDir);
    assert.throws(() => boundHugePages(runDir), AgentError, runDir);
  }
  assert.equal(boundProc("/run/denolet/"), "/run/denolet/proc");
  assert.equal(boundCgroup("/run/denolet"), "/run/denolet/cgroup");
});
