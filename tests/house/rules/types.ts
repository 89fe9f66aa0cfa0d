/**
 * What the compiler is told: no holes in the types (`any`, `!`, `as`), no
 * syntax that is more than types (enum, namespace), no boolean parameters.
 */
import { type Place, placeOf } from "../place.ts";

export const noAny: Deno.lint.Rule = {
  create: (context) => ({
    TSAnyKeyword(node) {
      context.report({
        node,
        message: "`any` switches the checker off for everything it touches.",
        hint: "Use `unknown` and look inside, or write the type down.",
      });
    },
  }),
};

export const noNonNull: Deno.lint.Rule = {
  create(context) {
    const report = (node: Deno.lint.Node) =>
      context.report({
        node,
        message:
          "`!` claims what the checker could not see; when it is wrong " +
          "the crash comes later and elsewhere.",
        hint: "Test for undefined: return early, use `??`, or assert().",
      });
    return {
      TSNonNullExpression: report,
      VariableDeclarator(node) {
        if (node.definite) report(node);
      },
    };
  },
};

export const noAs: Deno.lint.Rule = {
  create(context) {
    const place = placeOf(context.filename);
    if (place.isTest || isTranslation(place)) return {};
    const check = (
      node: Deno.lint.TSAsExpression | Deno.lint.TSTypeAssertion,
    ) => {
      // `x as unknown as T` is one claim.
      if (node.parent.type === "TSAsExpression") return;
      if (isConstant(node.typeAnnotation)) return;
      if (place.folder === "api" && isWholeResult(node)) return;
      context.report({
        node,
        message: "`as` replaces the checker's knowledge by a claim.",
        hint:
          "Narrow with a test, use `satisfies`, or translate at the edge: " +
          "wire types in a translate.ts, brands in one-line functions of lib/api.",
      });
    };
    return { TSAsExpression: check, TSTypeAssertion: check };
  },
};

/** `translate.ts`, and its parts where one file is not enough. */
function isTranslation(place: Place): boolean {
  return place.isLib && /^translate(_\w+)?\.ts$/.test(place.name);
}

function isConstant(node: Deno.lint.Node): boolean {
  return node.type === "TSTypeReference" &&
    node.typeName.type === "Identifier" &&
    node.typeName.name === "const";
}

/** The shape of a branding function: `return text as PodUid`. */
function isWholeResult(node: Deno.lint.Node): boolean {
  const parent = "parent" in node ? node.parent : null;
  return parent?.type === "ReturnStatement" ||
    parent?.type === "ArrowFunctionExpression";
}

export const noEnum: Deno.lint.Rule = {
  create(context) {
    const report = (node: Deno.lint.Node, what: string, hint: string) =>
      context.report({
        node,
        message: `${what} is code that only looks like a type; types must be ` +
          `erasable.`,
        hint,
      });
    return {
      TSEnumDeclaration(node) {
        report(node, "An enum", "Use a union of string literals.");
      },
      TSModuleDeclaration(node) {
        if (node.kind === "global" || node.id.type === "Literal") return;
        report(node, "A namespace", "A file is the namespace.");
      },
      TSParameterProperty(node) {
        report(
          node,
          "A parameter property",
          "Declare the field and assign it.",
        );
      },
    };
  },
};

/**
 * A boolean among other arguments says nothing at the call. As the only
 * argument it is the subject of the function (`statusOf(isReady)`): allowed.
 */
export const noBooleanParameter: Deno.lint.Rule = {
  create(context) {
    const check = (
      node: Deno.lint.Node & { params: Deno.lint.Parameter[] },
    ) => {
      if (node.params.length < 2) return;
      for (const each of node.params) {
        if (!isBoolean(each)) continue;
        context.report({
          range: each.range,
          message:
            "A boolean parameter: `f(x, true)` does not say what is true.",
          hint:
            'Pass a literal union ("keep" | "remove") or an options object.',
        });
      }
    };
    return {
      FunctionDeclaration: check,
      FunctionExpression: check,
      ArrowFunctionExpression: check,
      TSDeclareFunction: check,
      TSMethodSignature: check,
      TSFunctionType: check,
    };
  },
};

function isBoolean(node: Deno.lint.Parameter | Deno.lint.Node): boolean {
  if (node.type === "AssignmentPattern") {
    const isLiteral = node.right.type === "Literal" &&
      typeof node.right.value === "boolean";
    return isLiteral || isBoolean(node.left);
  }
  if (node.type !== "Identifier") return false;
  const type = node.typeAnnotation?.typeAnnotation;
  if (type?.type === "TSUnionType") {
    return type.types.some((each) => each.type === "TSBooleanKeyword");
  }
  return type?.type === "TSBooleanKeyword";
}
