/** Proof that every lint rule bites, and lets reasonable code pass. */
import assert from "node:assert/strict";
import plugin from "./lint_plugin.ts";

interface Sample {
  readonly rule: string;
  /** The file the code is said to stand in. */
  readonly at: string;
  readonly bad?: readonly string[];
  readonly good?: readonly string[];
}

const SAMPLES: readonly Sample[] = [
  {
    rule: "no-ambient",
    at: "lib/probe/run.ts",
    bad: [
      "export const args = Deno.args;",
      "export function f() { return Deno['readTextFile']('x'); }",
      "export function f() { return globalThis.fetch('x'); }",
      "export const f = () => fetch('x');",
      "export function f({ get = fetch }) { return get; }",
      "export const f = () => Date.now();",
      "export function f() { const { now } = Date; return now(); }",
      "export const f = () => new Date();",
      "export const f = () => Date();",
      "export const f = () => performance.now();",
      "export const f = () => Math.random();",
      "export const f = () => crypto.getRandomValues(new Uint8Array(1));",
      "export const f = () => crypto.randomUUID();",
      "export const f = () => crypto.subtle.generateKey('Ed25519', true, []);",
      "export const f = () => AbortSignal.timeout(5);",
      "export const f = () => setTimeout(() => {}, 5);",
      "export const f = () => setInterval(() => {}, 5);",
      "export const f = () => console.log('x');",
      "export const f = () => process.env;",
      "export function f() { { const fetch = 1; } return fetch; }",
      "import { readFileSync } from 'node:fs'; readFileSync;",
      "import * as http from 'node:http'; http;",
      "import { connect } from 'node:net'; connect;",
      "import { hostname } from 'node:os'; hostname;",
      "import { spawn } from 'node:child_process'; spawn;",
      "import { setTimeout } from 'node:timers/promises'; setTimeout;",
      "import { randomBytes } from 'node:crypto'; randomBytes;",
      "import * as all from 'node:crypto'; all;",
      "export const f = () => import('./x.ts');",
    ],
    good: [
      "export const f = (fetch: (url: string) => string) => fetch('x');",
      "export function f(net: Net) { return net.fetch('x'); }",
      "export const f = (nowMs: number) => new Date(nowMs).toISOString();",
      "export const f = () => Date.parse('2020-01-01T00:00:00Z');",
      "export const f = (process: Process) => process.id;",
      "export const f = (x: number) => Math.max(x, 1);",
      "export type Get = typeof fetch; export type C = Deno.Command;",
      "import { createHash } from 'node:crypto'; createHash;",
      "import type { Socket } from 'node:net'; export type S = Socket;",
      "export const f = () => crypto.subtle.digest('SHA-256', new Uint8Array());",
      "export const table = { performance: 1, console: 2 };",
      "export const f = () => { queueMicrotask(() => {}); };",
    ],
  },
  { rule: "no-ambient", at: "lib/base/random.ts", good: ["Math.random();"] },
  { rule: "no-ambient", at: "lib/cri/x.ts", bad: [], good: ["f(Deno);"] },
  { rule: "no-ambient", at: "main.ts", good: ["Deno.exit(1);"] },
  { rule: "no-ambient", at: "mod.ts", bad: ["Deno.exit(1);"] },
  { rule: "no-ambient", at: "lib/pod/x_test.ts", good: ["Date.now();"] },
  { rule: "no-ambient", at: "tests/build.ts", good: ["Date.now();"] },
  {
    rule: "pure-sync",
    at: "lib/pod/x.ts",
    bad: [
      "export async function f() {}",
      "export const f = async () => {};",
      "export const table = { async f() {} };",
      "export type F = () => Promise<void>;",
      "export const f = () => Promise.resolve(1);",
      "export const f = (x: AsyncIterable<number>) => x;",
    ],
    good: ["export const f = (x: Table) => x.Promise;"],
  },
  {
    rule: "pure-sync",
    at: "lib/probe/decide.ts",
    bad: ["export async function f() { await 1; }"],
  },
  {
    rule: "pure-sync",
    at: "lib/cri/translate.ts",
    bad: ["export async function f(x: X) { for await (const y of x) y; }"],
  },
  {
    rule: "pure-sync",
    at: "lib/probe/run.ts",
    good: ["export async function f(x: Promise<void>) { await x; }"],
  },
  {
    rule: "no-module-state",
    at: "lib/sync/worker.ts",
    bad: [
      "let count = 0; export const f = () => count;",
      "export var count = 0;",
      "export const cache = new Map<string, number>();",
      "export const seen = new Set();",
      "export const queue = new Queue();",
      "export const log = getLogger('x');",
      "import { cell } from '../base/cell.ts'; export const c = cell(0);",
      "register('x');",
      "[1, 2].map((x) => x);",
      "if (1 < 2) { f(); } function f() {}",
      "const x = await f(); export { x }; function f() {}",
      "class A { static count = 0; } new (class {})();",
      "export class A { static { f(); } } function f() {}",
      "export const x = (() => 1)();",
      "const T: Table = {}; export function f() { T.x = 1; }",
      "const T = new Map([[1, 2]]); export const f = () => T.set(3, 4);",
      "const LIST: number[] = []; export const f = () => { LIST.push(1); };",
      "const N = { n: 1 }; export const f = () => N.n++;",
    ],
    good: [
      "export const TABLE = new Map([['a', 1]]);",
      "export const NAMES = new Set(['a']); export const EMPTY = new Uint8Array();",
      "export const P = new RegExp('x'); export const D = new TextDecoder();",
      "export const LIST = Object.freeze(['a', 'b'].map((x) => x + '1'));",
      "export const UNIT = Symbol('unit'); export const N = Number('1');",
      "export const LIMIT = limit('5'); function limit(x: string) { return +x; }",
      "import { quantity } from '../api/quantity.ts'; export const Q = quantity('1');",
      "import { field } from '../config/tree.ts'; export const X = { a: field('b') };",
      "export const NONE: ReadonlyMap<string, string> = new Map();",
      "export class AgentError extends Error {}",
      "export class A { #all = new Map<string, number>(); f() { this.#all.clear(); } }",
      "export class A { static readonly limit = 5; }",
      "export function f() { let x = 0; x++; const m = new Map(); m.set(x, x); return m; }",
      "const T = new Map([[1, 2]]); export const g = () => T; export function f(T: Map<number, number>) { T.set(1, 1); }",
    ],
  },
  { rule: "no-module-state", at: "main.ts", good: ["await run(new Agent());"] },
  {
    rule: "idle-constructor",
    at: "lib/kube/client.ts",
    bad: [
      "class A { constructor() { this.x = fetch('x'); } }",
      "class A { constructor(s: Server) { s.listen(80); } }",
      "class A { constructor() { setTimeout(f, 5); } }",
      "class A { constructor() { this.#loop(); } async #loop() {} }",
      "class A { constructor(w: Watch) { w.start(); } }",
      "class A { readonly #w = watch('x'); }",
      "class A { constructor() { Deno.watchFs('x'); } }",
      "class A { constructor(p: Promise<void>) { p.then(f); } }",
    ],
    good: [
      "class A { #x; constructor(x: X) { this.#x = x; } run() { this.#x.start(); } }",
      "class A { constructor(s: AbortSignal) { s.addEventListener('abort', () => this.run()); } run() {} }",
      "class A { readonly #x = new Map<string, string>(); readonly f = () => fetch('x'); }",
    ],
  },
  {
    rule: "package-fence",
    at: "lib/sync/worker.ts",
    bad: [
      "import { Client } from '@grpc/grpc-js'; Client;",
      "import type { Client } from '@grpc/grpc-js'; export type C = Client;",
      "import type { V1Pod } from '@kubernetes/client-node'; export type P = V1Pod;",
      "export type P = import('@kubernetes/client-node').V1Pod;",
      "import * as yaml from 'yaml'; yaml;",
      "import { Root } from 'protobufjs/light.js'; Root;",
      "import { getLogger } from '@logtape/logtape'; getLogger;",
      "import { Counter } from 'prom-client'; Counter;",
      "import left from 'left-pad'; left;",
      "import { parse } from 'npm:yaml@2'; parse;",
      "export * from 'yaml';",
    ],
    good: [
      "import { x } from './x.ts'; x;",
      "import { createHash } from 'node:crypto'; createHash;",
    ],
  },
  {
    rule: "package-fence",
    at: "lib/api/types.ts",
    bad: ["import { V1Pod } from '@kubernetes/client-node'; V1Pod;"],
    good: ["export type { V1Pod } from '@kubernetes/client-node';"],
  },
  {
    rule: "package-fence",
    at: "lib/cri/channel.ts",
    bad: ["Deno.dlopen('libc.so.6', {});"],
    good: ["import { Client } from '@grpc/grpc-js'; Client;"],
  },
  {
    rule: "package-fence",
    at: "lib/host/libc.ts",
    good: ["export const f = () => Deno.dlopen('libc.so.6', {});"],
  },
  {
    rule: "no-any",
    at: "tests/fakes/x.ts",
    bad: ["export const x: any = 1;", "export type T = Record<string, any>;"],
    good: ["export const x: unknown = 1; export const any = 2;"],
  },
  {
    rule: "no-non-null",
    at: "tests/fakes/x.ts",
    bad: ["x!.y;", "let x!: number; x;"],
    good: ["if (!x) f();", "x?.y;"],
  },
  {
    rule: "no-as",
    at: "lib/pod/x.ts",
    bad: ["export const f = (x: unknown) => x as string;", "f(<string>x);"],
    good: [
      "export const T = ['a'] as const;",
      "import { a as b } from './a.ts'; export const c = { x: b } satisfies X;",
    ],
  },
  {
    rule: "no-as",
    at: "lib/api/pod.ts",
    bad: ["export function f(x: X) { const y = x as Y; return y; }"],
    good: ["export function podUid(text: string) { return text as PodUid; }"],
  },
  {
    rule: "no-as",
    at: "lib/cri/translate_bytes.ts",
    good: ["export const f = (x: unknown) => { const y = x as Y; return y; };"],
  },
  {
    rule: "no-enum",
    at: "lib/pod/x.ts",
    bad: [
      "export enum Phase { Running }",
      "export namespace Phase { export const x = 1; }",
      "export class A { constructor(readonly x: number) {} }",
    ],
    good: ["export type Phase = 'running' | 'stopped';"],
  },
  {
    rule: "no-boolean-parameter",
    at: "lib/pod/x.ts",
    bad: [
      "export function f(x: X, isForced: boolean) {}",
      "export function f(x: X, isForced = false) {}",
      "export const f = (isForced: boolean | undefined, x: X) => x;",
      "export interface A { f(x: X, isForced?: boolean): void }",
      "export type F = (x: X, isForced: boolean) => void;",
      "export class A { f(x: X, isForced: boolean) {} }",
    ],
    good: [
      "export function statusOf(isReady: boolean) { return isReady ? 'a' : 'b'; }",
      "export function f(x: X, mode: 'keep' | 'remove') {}",
      "export function f(x: X, options: { isForced: boolean }) {}",
    ],
  },
  {
    rule: "no-empty-catch",
    at: "tests/x_test.ts",
    bad: ["try { f(); } catch {}", "try { f(); } catch (e) { /* fine */ }"],
    good: ["try { f(); } catch (error) { if (!isAbort(error)) throw error; }"],
  },
  {
    rule: "no-default-export",
    at: "lib/pod/x.ts",
    bad: ["export default function f() {}"],
    good: ["export function f() {}"],
  },
  {
    rule: "no-inheritance",
    at: "lib/pod/x.ts",
    bad: [
      "export class A extends B {}",
      "export const f = () => class extends B {};",
    ],
    good: ["export class A extends Error {}", "export class A implements B {}"],
  },
  {
    rule: "no-barrel",
    at: "lib/pod/x.ts",
    bad: [
      "import { x } from '../probe/mod.ts'; x;",
      "export * from './y.ts';",
      "export { y } from './y.ts';",
      "export type { Y } from './y.ts';",
    ],
    good: ["import { y } from './y.ts'; export const x = y;"],
  },
  { rule: "no-barrel", at: "lib/pod/mod.ts", bad: ["export const x = 1;"] },
  {
    rule: "no-barrel",
    at: "mod.ts",
    good: ["export { y } from './lib/y.ts';"],
  },
  {
    rule: "todo-with-issue",
    at: "lib/pod/x.ts",
    bad: ["// TO" + "DO: later\nexport const x = 1;", "/* FIX" + "ME */ f();"],
    good: ["// TODO(#12): later\nexport function f() {}"],
  },
];

function idsIn(at: string, code: string): string[] {
  return Deno.lint.runPlugin(plugin, at, code).map((found) => found.id);
}

for (const { rule, at, bad = [], good = [] } of SAMPLES) {
  Deno.test(`house/${rule} refuses bad and passes good code in ${at}`, () => {
    for (const code of bad) {
      assert.ok(idsIn(at, code).includes(`house/${rule}`), `passed: ${code}`);
    }
    for (const code of good) {
      const found = idsIn(at, code).filter((id) => id === `house/${rule}`);
      assert.deepEqual(found, [], `refused: ${code}`);
    }
  });
}

Deno.test("every rule has a sample it refuses", () => {
  const proven = SAMPLES.filter((each) => each.bad?.length).map((each) =>
    each.rule
  );
  assert.deepEqual(
    Object.keys(plugin.rules).filter((rule) => !proven.includes(rule)),
    [],
  );
});

Deno.test("every report gives a reason and a way out", () => {
  for (const { at, bad = [] } of SAMPLES) {
    for (const code of bad) {
      for (const found of Deno.lint.runPlugin(plugin, at, code)) {
        assert.ok(found.message.length > 30, found.id);
        assert.ok((found.hint ?? "").length > 10, found.id);
      }
    }
  }
});
