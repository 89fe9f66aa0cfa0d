/**
 * Rule 5, constructors store and `run(signal)` works: `new X()` in a test
 * must not open a socket or start a timer.
 */
import { placeOf } from "../place.ts";
import { around, isFunction, memberName } from "../scope.ts";

const STARTING_FUNCTIONS = new Set([
  "fetch",
  "connect",
  "setTimeout",
  "setInterval",
  "queueMicrotask",
  "watch",
  "listen",
  "serve",
  "dial",
]);

const STARTING_METHODS = new Set([
  "run",
  "start",
  "watch",
  "connect",
  "dial",
  "listen",
  "serve",
  "subscribe",
  "poll",
  "spawn",
  "sleep",
  "then",
]);

export const idleConstructor: Deno.lint.Rule = {
  create(context) {
    if (placeOf(context.filename).isTest) return {};
    return {
      CallExpression(node) {
        const owner = constructedBy(node);
        if (owner === undefined) return;
        const started = startedBy(node, owner);
        if (started === undefined) return;
        context.report({
          node,
          message: `${started}() in a constructor: making an object must not ` +
            `begin anything, or nobody owns its end.`,
          hint:
            "Store the arguments; begin in a method `run(signal)` that the " +
            "caller owns.",
        });
      },
    };
  },
};

/** The class whose construction runs `node`, if one does. */
function constructedBy(node: Deno.lint.Node): Deno.lint.ClassBody | undefined {
  for (const outer of around(node)) {
    if (outer.type === "PropertyDefinition" && !outer.static) {
      return outer.parent;
    }
    if (!isFunction(outer)) continue;
    const method = outer.parent;
    return method.type === "MethodDefinition" && method.kind === "constructor"
      ? method.parent
      : undefined;
  }
  return undefined;
}

function startedBy(
  node: Deno.lint.CallExpression,
  owner: Deno.lint.ClassBody,
): string | undefined {
  const callee = node.callee;
  if (callee.type === "Identifier") {
    return STARTING_FUNCTIONS.has(callee.name) ? callee.name : undefined;
  }
  if (callee.type !== "MemberExpression") return undefined;
  const name = memberName(callee);
  if (name === undefined) return undefined;
  if (callee.object.type === "Identifier" && callee.object.name === "Deno") {
    return `Deno.${name}`;
  }
  const isOwnAsync = callee.object.type === "ThisExpression" &&
    asyncMethods(owner).has(name);
  return STARTING_METHODS.has(name) || isOwnAsync ? name : undefined;
}

function asyncMethods(owner: Deno.lint.ClassBody): Set<string> {
  const found = new Set<string>();
  for (const member of owner.body) {
    if (member.type !== "MethodDefinition" || !member.value.async) continue;
    const key = member.key;
    if (key.type === "Identifier" || key.type === "PrivateIdentifier") {
      found.add(key.name);
    }
  }
  return found;
}
