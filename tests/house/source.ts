/**
 * Reads one file's imports and sizes from its syntax tree. The tree is the
 * linter's, so there is no second opinion on what an import is.
 */
import { placeOf, resolveImport } from "./place.ts";
import { importKind } from "./rules/fences.ts";

export interface Import {
  /** A path from the repository's root, or a package's name. */
  readonly target: string;
  readonly kind: "type" | "value";
  readonly isPackage: boolean;
  /** The imported names; empty when everything is taken. */
  readonly names: readonly string[];
  readonly line: number;
}

export interface FunctionSize {
  readonly name: string;
  readonly line: number;
  /** From the first line to the last; 0 for a signature. */
  readonly lines: number;
  readonly parameters: number;
}

export interface Expression {
  readonly pattern: string;
  readonly flags: string;
  readonly line: number;
}

export interface Source {
  readonly path: string;
  readonly lines: number;
  readonly imports: readonly Import[];
  readonly functions: readonly FunctionSize[];
  /** Regular expressions that are written out. */
  readonly expressions: readonly Expression[];
  /** Statements that only pass other files' names on. */
  readonly reexports: number;
  /** Statements that hold something of this file's own. */
  readonly definitions: number;
  /** House rules switched off by a comment, one entry per comment and rule. */
  readonly ignores: readonly string[];
}

/** Parses `text` as the file at `path`. */
export function readSource(path: string, text: string): Source {
  const imports: Import[] = [];
  const functions: FunctionSize[] = [];
  const expressions: Expression[] = [];
  let reexports = 0;
  let definitions = 0;
  const lineAt = lineFinder(text);
  const addImport = (
    node: Deno.lint.Node,
    specifier: string,
    kind: "type" | "value",
    names: readonly string[] = [],
  ) => {
    const target = resolveImport(path, specifier);
    imports.push({
      target: target ?? specifier,
      isPackage: target === undefined,
      kind,
      names,
      line: lineAt(node.range[0]),
    });
  };
  const addFunction = (node: AnyFunction) => {
    const line = lineAt(node.range[0]);
    const hasBody = node.type !== "TSMethodSignature";
    functions.push({
      name: nameOf(node),
      line,
      lines: hasBody ? lineAt(node.range[1]) - line + 1 : 0,
      parameters: node.params.length,
    });
  };
  visit(path, text, {
    Program(node) {
      for (const statement of node.body) {
        const isReexport = isFrom(statement);
        if (isReexport) reexports++;
        else if (statement.type !== "ImportDeclaration") definitions++;
      }
    },
    ImportDeclaration(node) {
      const names = node.specifiers.map((each) =>
        each.type === "ImportSpecifier" && each.imported.type === "Identifier"
          ? each.imported.name
          : "*"
      );
      addImport(node, node.source.value, importKind(node), names);
    },
    ExportNamedDeclaration(node) {
      if (node.source) addImport(node, node.source.value, node.exportKind);
    },
    ExportAllDeclaration(node) {
      addImport(node, node.source.value, node.exportKind);
    },
    ImportExpression(node) {
      const value = literalText(node.source);
      if (value !== undefined) addImport(node, value, "value");
    },
    TSImportType(node) {
      const argument = node.argument;
      if (argument.type !== "TSLiteralType") return;
      const value = literalText(argument.literal);
      if (value !== undefined) addImport(node, value, "type");
    },
    Literal(node) {
      if (!(node.value instanceof RegExp)) return;
      const { source: pattern, flags } = node.value;
      expressions.push({ pattern, flags, line: lineAt(node.range[0]) });
    },
    FunctionDeclaration: addFunction,
    FunctionExpression: addFunction,
    ArrowFunctionExpression: addFunction,
    TSMethodSignature: addFunction,
  });
  return {
    path,
    lines: text.trimEnd().split("\n").length,
    imports,
    functions,
    expressions,
    reexports,
    definitions,
    ignores: ignoresIn(text),
  };
}

/** Reads the files at `paths` below `root`. */
export function readSources(paths: readonly string[], root: string): Source[] {
  return paths.map((path) =>
    readSource(path, Deno.readTextFileSync(`${root}${path}`))
  );
}

/** The repository's root, with a slash at the end. */
export const ROOT = new URL("../../", import.meta.url).pathname;

/** All TypeScript files of lib and tests, main.ts and mod.ts, sorted. */
export function sourcePaths(root: string): string[] {
  const found: string[] = [];
  const walk = (folder: string) => {
    for (const entry of Deno.readDirSync(`${root}${folder}`)) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory) walk(path);
      else if (entry.name.endsWith(".ts")) found.push(path);
    }
  };
  walk("lib");
  walk("tests");
  for (const entry of Deno.readDirSync(root)) {
    if (entry.isFile && placeOf(entry.name).isProgram) found.push(entry.name);
  }
  return found.sort();
}

type AnyFunction =
  | Deno.lint.FunctionDeclaration
  | Deno.lint.FunctionExpression
  | Deno.lint.ArrowFunctionExpression
  | Deno.lint.TSMethodSignature;

function visit(path: string, text: string, visitor: Deno.lint.LintVisitor) {
  const reader: Deno.lint.Plugin = {
    name: "reader",
    rules: { read: { create: () => visitor } },
  };
  Deno.lint.runPlugin(reader, path, text);
}

function lineFinder(text: string): (offset: number) => number {
  const starts = [0];
  for (const match of text.matchAll(/\n/g)) starts.push(match.index + 1);
  return (offset) => {
    const next = starts.findIndex((start) => start > offset);
    return next < 0 ? starts.length : next;
  };
}

function literalText(node: Deno.lint.Node): string | undefined {
  return node.type === "Literal" && typeof node.value === "string"
    ? node.value
    : undefined;
}

/**
 * True for `export … from`. Ask nodes for their type, never `"key" in node`:
 * all of them share one prototype, so every node has every field.
 */
function isFrom(node: Deno.lint.Statement): boolean {
  return node.type === "ExportAllDeclaration" ||
    (node.type === "ExportNamedDeclaration" && node.source !== null);
}

/** The name people know the function by. */
function nameOf(node: AnyFunction): string {
  const named = ownName(node) ?? keyOf(node.parent);
  if (named?.type === "Identifier") return named.name;
  return named?.type === "PrivateIdentifier" ? `#${named.name}` : "(unnamed)";
}

function ownName(node: AnyFunction): Deno.lint.Node | null {
  if (node.type === "TSMethodSignature") return node.key;
  return node.type === "ArrowFunctionExpression" ? null : node.id;
}

function keyOf(parent: Deno.lint.Node): Deno.lint.Node | undefined {
  switch (parent.type) {
    case "VariableDeclarator":
      return parent.id;
    case "MethodDefinition":
    case "PropertyDefinition":
    case "Property":
      return parent.key;
    default:
      return undefined;
  }
}

function ignoresIn(text: string): string[] {
  const found: string[] = [];
  for (const match of text.matchAll(/\/\/ deno-lint-ignore(-file)?\b(.*)/g)) {
    const rules = (match[2] ?? "").split(" -- ")[0]?.match(/[\w/-]+/g) ?? [];
    if (match[1] !== undefined && rules.length === 0) found.push("house/*");
    found.push(...rules.filter((rule) => rule.startsWith("house/")));
  }
  return found;
}
