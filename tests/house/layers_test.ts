/** The layers of the house, over every file; and proof that breaking shows. */
import assert from "node:assert/strict";
import { barrels, brokenLayers, cycles, judgeImport } from "./layers.ts";
import { readSource, readSources, ROOT, sourcePaths } from "./source.ts";

const sources = readSources(sourcePaths(ROOT), ROOT);

Deno.test("every import follows the layer table", () => {
  assert.deepEqual(brokenLayers(sources), []);
});

Deno.test("there are no cycles, by value or by type", () => {
  assert.deepEqual(cycles(sources), []);
});

Deno.test("there are no barrels, and mod.ts only re-exports", () => {
  assert.deepEqual(barrels(sources), []);
});

/** Judges `from` importing `target`, written as code. */
function judge(from: string, code: string): string | undefined {
  const [found] = readSource(from, code).imports;
  assert.ok(found, `no import in: ${code}`);
  return judgeImport(from, found);
}

const REFUSED: ReadonlyArray<readonly [from: string, code: string]> = [
  ["lib/base/cell.ts", "import { uid } from '../api/pod.ts';"],
  ["lib/api/pod.ts", "import type { Runtime } from '../port/runtime.ts';"],
  ["lib/port/host.ts", "import { parse } from '../config/parse.ts';"],
  ["lib/pod/decide.ts", "import { x } from '../probe/types.ts';"],
  ["lib/pod/decide.ts", "import type { X } from '../probe/run.ts';"],
  ["lib/pod/decide.ts", "import { x } from '../port/runtime.ts';"],
  ["lib/pod/decide.ts", "import { x } from '../config/schema.ts';"],
  ["lib/pod/decide.ts", "import type { X } from '../sync/store.ts';"],
  ["lib/probe/run.ts", "import { decide } from '../pod/decide.ts';"],
  ["lib/probe/run.ts", "import type { Facts } from '../pod/facts.ts';"],
  ["lib/probe/run.ts", "import type { X } from '../image/run.ts';"],
  ["lib/probe/run.ts", "import { x } from '../image/types.ts';"],
  ["lib/probe/run.ts", "import { x } from '../cri/runtime.ts';"],
  ["lib/sync/worker.ts", "import { x } from '../server/routes.ts';"],
  ["lib/server/pods.ts", "import { x } from '../sync/store.ts';"],
  ["lib/server/pods.ts", "import type { Writer } from '../base/cell.ts';"],
  ["lib/cri/runtime.ts", "import type { X } from '../image/types.ts';"],
  ["lib/cri/runtime.ts", "import { x } from '../host/files.ts';"],
  ["lib/cri/runtime.ts", "export type X = import('../pod/state.ts').X;"],
  ["lib/kube/client.ts", "import x from '../../proto/runtime.json';"],
  ["lib/agent.ts", "import { x } from './cri/runtime.ts';"],
  ["lib/agent.ts", "import { x } from '../main.ts';"],
  ["lib/sync/apply.ts", "import { aPod } from '../../tests/build.ts';"],
  ["lib/sync/apply.ts", "const x = await import('../host/files.ts');"],
  ["lib/new_room/x.ts", "import { x } from '../base/cell.ts';"],
];

const PASSED: ReadonlyArray<readonly [from: string, code: string]> = [
  ["lib/api/pod.ts", "import { x } from '../base/errors.ts';"],
  ["lib/pod/decide.ts", "import type { X } from '../probe/types.ts';"],
  ["lib/pod/decide.ts", "import { type X } from '../port/runtime.ts';"],
  ["lib/pod/decide.ts", "import type { Config } from '../config/schema.ts';"],
  ["lib/probe/run.ts", "import type { X } from '../image/types.ts';"],
  ["lib/probe/run.ts", "import { x } from '../config/schema.ts';"],
  ["lib/sync/worker.ts", "import { decide } from '../pod/decide.ts';"],
  ["lib/server/pods.ts", "import type { Reader } from '../base/cell.ts';"],
  ["lib/cri/channel.ts", "import x from '../../proto/runtime.json';"],
  ["lib/agent.ts", "import { x } from './sync/worker.ts';"],
  ["main.ts", "import { x } from './lib/cri/runtime.ts';"],
  ["lib/sync/worker.ts", "import { x } from './apply.ts';"],
];

Deno.test("the layer table refuses what it should", () => {
  for (const [from, code] of REFUSED) {
    assert.ok(judge(from, code), `passed: ${from}: ${code}`);
  }
});

Deno.test("the layer table passes what it should", () => {
  for (const [from, code] of PASSED) {
    assert.equal(judge(from, code), undefined, `${from}: ${code}`);
  }
});

Deno.test("tests are free of the layer table", () => {
  const code = "import { aPod } from '../../tests/build.ts';";
  assert.deepEqual(brokenLayers([readSource("lib/pod/x_test.ts", code)]), []);
});

Deno.test("cycles() finds a loop of types over three files", () => {
  const loop = [
    readSource("lib/pod/a.ts", "import { b } from './b.ts'; b;"),
    readSource("lib/pod/b.ts", "import type { C } from './c.ts'; f<C>();"),
    readSource("lib/pod/c.ts", "export type C = import('./a.ts').A;"),
    readSource("lib/pod/d.ts", "import { a } from './a.ts'; a;"),
  ];
  assert.deepEqual(cycles(loop), [
    "lib/pod/a.ts -> lib/pod/b.ts -> lib/pod/c.ts -> lib/pod/a.ts",
  ]);
});

Deno.test("barrels() finds barrels and a mod.ts that does more", () => {
  const code = "export * from './a.ts'; export { b } from './b.ts';";
  assert.equal(barrels([readSource("lib/pod/x.ts", code)]).length, 1);
  assert.equal(barrels([readSource("lib/api/types.ts", code)]).length, 0);
  assert.equal(barrels([readSource("mod.ts", code)]).length, 0);
  assert.equal(
    barrels([readSource("mod.ts", "export const x = 1;")]).length,
    1,
  );
});
