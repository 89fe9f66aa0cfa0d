import assert from "node:assert/strict";
import type { DirectoryEntry } from "../port/host.ts";
import { planRotation } from "./rotation.ts";

const NOW_MS = Date.UTC(2026, 6, 31, 10, 2, 33, 999);

function plan(names: readonly string[], mostFiles = 5) {
  const entries = names.map((name): DirectoryEntry => ({ name, kind: "file" }));
  return planRotation("0.log", entries, { mostFiles, nowMs: NOW_MS });
}

Deno.test("planRotation() names the old log by its end", () => {
  assert.deepEqual(plan(["0.log"]), {
    remove: [],
    pack: [],
    rotated: "0.log.20260731-100233",
  });
});

Deno.test("planRotation() packs what was rotated before, and keeps so many", () => {
  const old = [1, 2, 3, 4].map((n) => `0.log.2026073${n}-000000`);
  const names = [...old.slice(0, 3).map((name) => `${name}.gz`), old[3] ?? ""];
  assert.deepEqual(plan(["0.log", ...names]), {
    remove: [`${old[0]}.gz`],
    pack: [old[3]],
    rotated: "0.log.20260731-100233",
  });
  assert.deepEqual(plan(["0.log", ...names], 2).remove, names);
  assert.deepEqual(plan(["0.log", ...names], 2).pack, []);
});

Deno.test("planRotation() takes away what a rotation left that was cut short", () => {
  const half = ["0.log.20260731-000000.tmp", "0.log.20260730-000000"];
  assert.deepEqual(
    plan([...half, "0.log.20260730-000000.gz"]).remove.toSorted(),
    half.toSorted(),
  );
});

Deno.test("planRotation() leaves alone what is no file, or of another log", () => {
  const others = ["1.log.20260730-000000", "10.log", "0.log2", "0.logs.1"];
  assert.deepEqual(plan(others).pack, []);
  const link = [{ name: "0.log.20260730-000000", kind: "symlink" }] as const;
  const options = { mostFiles: 2, nowMs: NOW_MS };
  assert.deepEqual(planRotation("0.log", link, options).remove, []);
});
