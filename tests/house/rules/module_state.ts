/**
 * Rule 4, no module state: importing a file must have no effect, and two
 * agents in one process must not share anything.
 */
import { type Place, placeOf, resolveImport } from "../place.ts";
import { mustBePure } from "./pure.ts";
import { around, isFunction, memberName, Names } from "../scope.ts";

/** Classes whose objects can be constant tables, given their content. */
const TABLES = new Set(["Map", "Set"]);

/** Classes whose objects hold no state worth the name. */
const CONSTANTS =
  /^(RegExp|TextEncoder|TextDecoder|Date|URL|NumberFormat|Collator|\w*Error)$/;

const BYTES = /^(Uint8|Uint16|Uint32|Int8|Int16|Int32|Float64|BigInt64)Array$/;

const PURE_GLOBALS = new Set([
  "Array",
  "BigInt",
  "Boolean",
  "Number",
  "String",
  "Symbol",
  "encodeURIComponent",
  "parseFloat",
  "parseInt",
  "structuredClone",
]);

const PURE_NAMESPACES = new Set([
  ...PURE_GLOBALS,
  "Date",
  "JSON",
  "Map",
  "Math",
  "Object",
  "Uint8Array",
]);

const PURE_METHODS = new Set(
  ("at concat encode decode entries every filter find flat flatMap includes " +
    "indexOf join keys map padEnd padStart reduce repeat replace replaceAll " +
    "slice some split toFixed toLowerCase toReversed toSorted toString " +
    "toUpperCase trim values with").split(" "),
);

const MUTATORS = new Set(
  ("add clear copyWithin delete fill pop push reverse set shift sort splice " +
    "unshift").split(" "),
);

export const noModuleState: Deno.lint.Rule = {
  create(context) {
    const place = placeOf(context.filename);
    if (!place.isLib) return {};
    const names = new Names();
    const tables = new Set<string>();
    const ownFunctions = new Set<string>();
    const vocabulary = new Set<string>();
    const calls: Deno.lint.CallExpression[] = [];
    const writes: Deno.lint.Identifier[] = [];
    const report = (node: Deno.lint.Node, what: string, hint: string) =>
      context.report({
        node,
        message: `${what} at the top level of a file: a second agent in this ` +
          `process would share it, and importing must have no effect.`,
        hint,
      });
    return {
      Program(node) {
        for (const statement of node.body) {
          if (!mayStandAtTop(statement)) {
            report(statement, "A statement", "Move it into a function.");
          }
          for (const name of functionNames(statement)) ownFunctions.add(name);
          for (const name of constantNames(statement)) tables.add(name);
        }
      },
      Identifier: (node) => names.visit(node),
      ImportDeclaration(node) {
        const path = resolveImport(place.path, node.source.value);
        if (path === undefined || !holdsOnlyData(placeOf(path))) return;
        for (const each of node.specifiers) vocabulary.add(each.local.name);
      },
      VariableDeclaration(node) {
        if (runsOnCall(node) || inBlock(node) || node.kind === "const") return;
        report(
          node,
          `\`${node.kind}\``,
          "Make it a const, or a field of the object that owns it.",
        );
      },
      NewExpression(node) {
        if (runsOnCall(node) || isConstant(node)) return;
        report(
          node,
          "A live object",
          "Make it where the agent is wired (lib/agent.ts) and hand it in; a Map or Set needs its content here, or a Readonly type.",
        );
      },
      AwaitExpression(node) {
        if (!runsOnCall(node)) {
          report(node, "`await`", "Move it into a function.");
        }
      },
      PropertyDefinition(node) {
        if (!node.static || node.readonly) return;
        report(
          node,
          "A mutable static field",
          "Make it readonly, or a field of the object.",
        );
      },
      StaticBlock: (node) => report(node, "A static block", "Use constants."),
      CallExpression(node) {
        if (!runsOnCall(node)) calls.push(node);
        const changed = changedBy(node);
        if (changed) writes.push(changed);
      },
      AssignmentExpression(node) {
        const root = rootOf(node.left);
        if (root) writes.push(root);
      },
      UpdateExpression(node) {
        const root = rootOf(node.argument);
        if (root) writes.push(root);
      },
      "Program:exit"() {
        const pure = new Set([...ownFunctions, ...vocabulary]);
        for (const call of calls) {
          if (isPureCall(call, pure)) continue;
          report(
            call,
            "A call",
            "Call it where the agent is wired, or compute the value with the file's own functions.",
          );
        }
        for (const node of writes) {
          if (!tables.has(node.name) || !names.isTopLevel(node)) continue;
          report(
            node,
            `A changing value (\`${node.name}\`)`,
            "Keep it in the object that owns it.",
          );
        }
      },
    };
  },
};

/**
 * Files whose functions can only compute: a table may be built with them
 * (`port: field(uint32, 10_250)`). lib/base is not among them: it makes cells.
 */
function holdsOnlyData(place: Place): boolean {
  return place.folder === "api" || place.folder === "config" ||
    mustBePure(place);
}

function mayStandAtTop(node: Deno.lint.Node): boolean {
  return node.type.startsWith("TS") || node.type.endsWith("Declaration");
}

function declarationIn(node: Deno.lint.Node): Deno.lint.Node | null {
  return node.type === "ExportNamedDeclaration" ? node.declaration : node;
}

function functionNames(statement: Deno.lint.Node): string[] {
  const node = declarationIn(statement);
  if (node?.type === "FunctionDeclaration" && !node.async && node.id) {
    return [node.id.name];
  }
  if (node?.type !== "VariableDeclaration") return [];
  return node.declarations.flatMap((each) =>
    each.init?.type === "ArrowFunctionExpression" && !each.init.async &&
      each.id.type === "Identifier"
      ? [each.id.name]
      : []
  );
}

function constantNames(statement: Deno.lint.Node): string[] {
  const node = declarationIn(statement);
  if (node?.type !== "VariableDeclaration") return [];
  return node.declarations.flatMap((each) =>
    each.id.type === "Identifier" ? [each.id.name] : []
  );
}

/** True when `node` runs only once something is called or constructed. */
function runsOnCall(node: Deno.lint.Node): boolean {
  for (const outer of around(node)) {
    if (isFunction(outer)) return true;
    if (outer.type === "PropertyDefinition" && !outer.static) return true;
  }
  return false;
}

/** True inside a top-level statement that is reported as a whole. */
function inBlock(node: Deno.lint.Node): boolean {
  for (const outer of around(node)) {
    if (outer.type === "BlockStatement") return true;
    if (/^For\w*Statement$/.test(outer.type)) return true;
    if (outer.type === "TSModuleBlock") return true;
  }
  return false;
}

function isConstant(node: Deno.lint.NewExpression): boolean {
  const callee = node.callee;
  const name = callee.type === "Identifier"
    ? callee.name
    : callee.type === "MemberExpression"
    ? memberName(callee) ?? ""
    : "";
  if (CONSTANTS.test(name)) return true;
  if (TABLES.has(name)) {
    return node.arguments.length > 0 || isEmptyDefault(node);
  }
  return BYTES.test(name) &&
    (node.arguments.length === 0 ||
      node.arguments[0]?.type === "ArrayExpression");
}

/**
 * An empty table nobody can fill: handed to a function that only computes, or
 * declared as a ReadonlyMap or ReadonlySet.
 */
function isEmptyDefault(node: Deno.lint.NewExpression): boolean {
  const parent = node.parent;
  if (parent.type === "CallExpression") return true;
  if (parent.type !== "VariableDeclarator") return false;
  if (parent.id.type !== "Identifier") return false;
  const type = parent.id.typeAnnotation?.typeAnnotation;
  return type?.type === "TSTypeReference" &&
    type.typeName.type === "Identifier" &&
    /^Readonly(Map|Set)$/.test(type.typeName.name);
}

function isPureCall(
  node: Deno.lint.CallExpression,
  pure: ReadonlySet<string>,
): boolean {
  if (node.parent.type === "ExpressionStatement") return false;
  const callee = node.callee;
  if (callee.type === "Identifier") {
    return PURE_GLOBALS.has(callee.name) || pure.has(callee.name);
  }
  if (callee.type !== "MemberExpression") return false;
  if (
    callee.object.type === "Identifier" &&
    PURE_NAMESPACES.has(callee.object.name)
  ) {
    return true;
  }
  return PURE_METHODS.has(memberName(callee) ?? "");
}

/** The variable a call such as `table.set(…)` changes. */
function changedBy(
  node: Deno.lint.CallExpression,
): Deno.lint.Identifier | undefined {
  const callee = node.callee;
  if (callee.type !== "MemberExpression") return undefined;
  return MUTATORS.has(memberName(callee) ?? "")
    ? rootOf(callee.object)
    : undefined;
}

function rootOf(node: Deno.lint.Node): Deno.lint.Identifier | undefined {
  let current = node;
  while (current.type === "MemberExpression") current = current.object;
  return current.type === "Identifier" ? current : undefined;
}
