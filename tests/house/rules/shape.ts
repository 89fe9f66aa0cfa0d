/**
 * The shape of files and classes: one owner per name, no inheritance, no
 * swallowed errors, no loose ends.
 */
import { placeOf, resolveImport } from "../place.ts";

/** The one drawer: names of Kubernetes types, re-exported as types. */
export const VOCABULARY = "lib/api/types.ts";

const BARREL = /(^|\/)(mod|index)\.ts$/;

export const noEmptyCatch: Deno.lint.Rule = {
  create: (context) => ({
    CatchClause(node) {
      if (node.body.body.length > 0) return;
      context.report({
        node,
        message: "An empty catch hides every failure, also the ones nobody " +
          "thought of.",
        hint:
          'Say which failure is expected (`if (nextOf(error) !== "already-so") ' +
          "throw error`), turn it into a value, or log it.",
      });
    },
  }),
};

export const noDefaultExport: Deno.lint.Rule = {
  create(context) {
    if (!placeOf(context.filename).isProgram) return {};
    return {
      ExportDefaultDeclaration(node) {
        context.report({
          node,
          message: "A default export has another name in every importer.",
          hint: "Export it by name.",
        });
      },
    };
  },
};

export const noInheritance: Deno.lint.Rule = {
  create(context) {
    const check = (
      node: Deno.lint.ClassDeclaration | Deno.lint.ClassExpression,
    ) => {
      const parent = node.superClass;
      if (parent === null || parent === undefined) return;
      if (parent.type === "Identifier" && parent.name.endsWith("Error")) return;
      context.report({
        node: parent,
        message: "Inheritance spreads one behaviour over two files.",
        hint:
          "Hold the other object and call it; only errors may extend Error.",
      });
    };
    return { ClassDeclaration: check, ClassExpression: check };
  },
};

export const noBarrel: Deno.lint.Rule = {
  create(context) {
    const place = placeOf(context.filename);
    if (!place.isLib || place.path === VOCABULARY) return {};
    const report = (node: Deno.lint.Node, message: string) =>
      context.report({
        node,
        message,
        hint: "Import the file that owns the thing.",
      });
    const checkExport = (node: Deno.lint.Node, source: unknown) => {
      if (!source) return;
      report(node, "A re-export gives one thing two owners and hides layers.");
    };
    return {
      Program(node) {
        if (!BARREL.test(place.path)) return;
        report(node, "A file of this name is a barrel, or will become one.");
      },
      ImportDeclaration(node) {
        const path = resolveImport(place.path, node.source.value);
        if (path === undefined || !BARREL.test(path)) return;
        report(node, "A barrel hides who owns the thing, and makes cycles.");
      },
      ExportAllDeclaration: (node) => checkExport(node, node.source),
      ExportNamedDeclaration: (node) => checkExport(node, node.source),
    };
  },
};

const LOOSE_END = /\b(TODO|FIXME|XXX|HACK)\b(?!\(#\d+\))/;

export const todoWithIssue: Deno.lint.Rule = {
  create: (context) => ({
    Program() {
      for (const comment of context.sourceCode.getAllComments()) {
        const found = LOOSE_END.exec(comment.value);
        if (!found) continue;
        context.report({
          range: comment.range,
          message: `${found[1]} without an issue: nobody will come back to it.`,
          hint: "Open an issue and write `TODO(#123)`, or do it now.",
        });
      }
    },
  }),
};
