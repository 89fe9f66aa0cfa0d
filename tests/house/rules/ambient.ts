/**
 * Rule 1, no ambient authority: the clock, chance, the network, files and the
 * process are reached through ports, so that a test can be the world.
 */
import { memberName, Names } from "../scope.ts";
import { type Place, placeOf } from "../place.ts";

const OPEN_FOLDERS = ["cri", "kube", "host"];
const OPEN_FILES = ["lib/base/clock.ts", "lib/base/random.ts", "main.ts"];

/** Globals that are the outside world, each with what to use instead. */
const WORLD: Readonly<Record<string, string>> = {
  Deno: "a port of lib/port (lib/host, lib/kube and lib/cri implement them)",
  fetch: "lib/port/net.ts",
  WebSocket: "lib/port/net.ts",
  EventSource: "lib/port/net.ts",
  Worker: "nothing: one process, one thread",
  BroadcastChannel: "a cell of lib/base/cell.ts",
  localStorage: "nothing: what must survive is written on the container",
  sessionStorage: "nothing: what must survive is written on the container",
  performance: "Clock.monotonicMs() of lib/base/clock.ts",
  setTimeout: "Clock.sleep() of lib/base/clock.ts, or a wakeAtMs in the result",
  setInterval:
    "Clock.sleep() of lib/base/clock.ts, or a wakeAtMs in the result",
  setImmediate: "Clock.sleep() of lib/base/clock.ts",
  console: "a Logger of lib/base/log.ts",
  process: "configuration, handed in by main.ts",
  navigator: "configuration, handed in by main.ts",
  globalThis: "the name itself, or a port",
  self: "the name itself, or a port",
  window: "the name itself, or a port",
};

/** Members of otherwise pure globals that read the world. */
const READERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Date: { now: "nowMs, or Clock.nowMs() of lib/base/clock.ts" },
  Math: { random: "Random of lib/base/random.ts" },
  crypto: {
    getRandomValues: "Random of lib/base/random.ts",
    randomUUID: "Random of lib/base/random.ts",
  },
  AbortSignal: { timeout: "Clock.sleep() of lib/base/clock.ts" },
  Temporal: { Now: "nowMs, or Clock.nowMs() of lib/base/clock.ts" },
};

/** Modules of Node that compute and do not touch anything. */
const PURE_NODE_MODULES = new Set([
  "node:assert",
  "node:assert/strict",
  "node:buffer",
  "node:crypto",
  "node:events",
  "node:path",
  "node:path/posix",
  "node:querystring",
  "node:stream",
  "node:string_decoder",
  "node:url",
  "node:util",
  "node:zlib",
]);

const CHANCE = /^(random|generate|getRandom|webcrypto|subtle)/;

const WATCHED = new Set([...Object.keys(WORLD), ...Object.keys(READERS)]);

export function mayTouchWorld(place: Place): boolean {
  return !place.isProgram || OPEN_FILES.includes(place.path) ||
    (place.folder !== undefined && OPEN_FOLDERS.includes(place.folder));
}

export const noAmbient: Deno.lint.Rule = {
  create(context) {
    if (mayTouchWorld(placeOf(context.filename))) return {};
    const names = new Names();
    const report = (node: Deno.lint.Node, what: string, instead: string) =>
      context.report({
        node,
        message: `Ambient authority: ${what} reaches past the ports, so no ` +
          `test can stand in for the world here.`,
        hint: `Use ${instead}.`,
      });
    return {
      Identifier: (node) => names.visit(node),
      ImportDeclaration(node) {
        if (node.importKind === "type") return;
        for (const found of ambientImports(node)) {
          report(node, found, "a port of lib/port");
        }
      },
      ImportExpression(node) {
        report(node, "import()", "a static import: loading code reads files");
      },
      "Program:exit"() {
        for (const node of names.globals(WATCHED)) {
          const found = judge(node);
          if (found) report(node, found.what, found.instead);
        }
      },
    };
  },
};

function ambientImports(node: Deno.lint.ImportDeclaration): string[] {
  const source = node.source.value;
  if (!source.startsWith("node:")) return [];
  if (!PURE_NODE_MODULES.has(source)) return [source];
  if (source !== "node:crypto") return [];
  const wide = node.specifiers.filter((each) =>
    each.type !== "ImportSpecifier" ||
    (each.importKind !== "type" && each.imported.type === "Identifier" &&
      CHANCE.test(each.imported.name))
  );
  return wide.map((each) => `${each.local.name} of ${source}`);
}

function judge(
  node: Deno.lint.Identifier,
): { what: string; instead: string } | undefined {
  const world = WORLD[node.name];
  if (world !== undefined) return { what: node.name, instead: world };
  const parent = node.parent;
  if (node.name === "Date" && isNowByCall(node)) {
    return {
      what: "Date without an argument",
      instead: "new Date(nowMs), with nowMs handed in",
    };
  }
  for (const [member, instead] of Object.entries(READERS[node.name] ?? {})) {
    const isRead = parent.type === "MemberExpression" &&
      memberName(parent) === member;
    if (isRead || unpacks(node, member)) {
      return { what: `${node.name}.${member}`, instead };
    }
  }
  if (node.name === "crypto" && generatesKey(node)) {
    return { what: "crypto.subtle.generateKey", instead: "a port of lib/port" };
  }
  return undefined;
}

function isNowByCall(node: Deno.lint.Identifier): boolean {
  const parent = node.parent;
  const isCallee = (parent.type === "NewExpression" ||
    parent.type === "CallExpression") &&
    parent.callee.range[0] === node.range[0];
  return isCallee &&
    (parent.type === "CallExpression" || parent.arguments.length === 0);
}

/** `const { now } = Date` */
function unpacks(node: Deno.lint.Identifier, member: string): boolean {
  const parent = node.parent;
  return parent.type === "VariableDeclarator" &&
    parent.id.type === "ObjectPattern" &&
    parent.id.properties.some((each) =>
      each.type === "Property" && each.key.type === "Identifier" &&
      each.key.name === member
    );
}

function generatesKey(node: Deno.lint.Identifier): boolean {
  const subtle = node.parent;
  if (subtle.type !== "MemberExpression") return false;
  const call = subtle.parent;
  return call.type === "MemberExpression" && memberName(call) === "generateKey";
}
