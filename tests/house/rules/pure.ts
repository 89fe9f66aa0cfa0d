/**
 * Rule 2, pure means synchronous: the deciding files cannot wait, so they
 * cannot touch the world.
 */
import { type Place, placeOf } from "../place.ts";

/** `decide.ts`, and its parts where one file is not enough: `decide_init.ts`. */
const PURE_NAMES =
  /^(decide|rank|project|policy|gc|parse|merge|translate)(_\w+)?\.ts$/;

const WAITING_TYPES =
  /^(Promise|PromiseLike|AsyncIterable|AsyncIterator|AsyncGenerator|AsyncIterableIterator)$/;

export function mustBePure(place: Place): boolean {
  return place.isLib && (place.folder === "pod" || PURE_NAMES.test(place.name));
}

export const pureSync: Deno.lint.Rule = {
  create(context) {
    if (!mustBePure(placeOf(context.filename))) return {};
    const report = (node: Deno.lint.Node, what: string) =>
      context.report({
        node,
        message: `${what} in a pure file: what decides must not wait, or it ` +
          `could touch the world halfway.`,
        hint: "Take the facts as arguments and return data; let run.ts or " +
          "apply.ts do the waiting.",
      });
    const checkFunction = (node: Deno.lint.Node & { async: boolean }) => {
      if (node.async) report(node, "`async`");
    };
    return {
      FunctionDeclaration: checkFunction,
      FunctionExpression: checkFunction,
      ArrowFunctionExpression: checkFunction,
      AwaitExpression: (node) => report(node, "`await`"),
      ForOfStatement(node) {
        if (node.await) report(node, "`for await`");
      },
      Identifier(node) {
        const isName = node.parent.type === "MemberExpression" &&
          !node.parent.computed &&
          node.parent.property.range[0] === node.range[0];
        if (!isName && WAITING_TYPES.test(node.name)) {
          report(node, `\`${node.name}\``);
        }
      },
    };
  },
};
