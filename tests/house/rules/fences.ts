/**
 * Rule 7, package fences: each package stands behind one small file or
 * folder, so that a swap is a change in one place.
 */
import { packageOf, type Place, placeOf } from "../place.ts";

interface Fence {
  /** Where values may be imported; a trailing slash means the folder. */
  readonly values: readonly string[];
  /** Where types may be imported beside that. */
  readonly types: readonly string[];
}

/** Every package the program uses, and who may. */
export const FENCES: Readonly<Record<string, Fence>> = {
  "@grpc/grpc-js": { values: ["lib/cri/"], types: [] },
  "protobufjs": { values: ["lib/cri/"], types: [] },
  "@kubernetes/client-node": {
    values: ["lib/kube/"],
    types: ["lib/api/types.ts"],
  },
  "yaml": {
    values: [
      "lib/config/parse.ts",
      "lib/kube/translate_kubeconfig.ts",
      "lib/source/file.ts",
    ],
    types: [],
  },
  "@peculiar/x509": { values: ["lib/identity/x509.ts"], types: [] },
  "reflect-metadata": { values: ["lib/identity/x509.ts"], types: [] },
  "@logtape/logtape": { values: ["lib/base/log.ts"], types: [] },
  "prom-client": {
    values: ["lib/base/metrics.ts", "lib/server/metrics.ts"],
    types: [],
  },
};

const FOREIGN_CODE = "lib/host/libc.ts";

const FOREIGN_NAMES = /^(dlopen|Unsafe\w+)$/;

export const packageFence: Deno.lint.Rule = {
  create(context) {
    const place = placeOf(context.filename);
    const check = (
      node: Deno.lint.Node,
      specifier: string,
      kind: "type" | "value",
    ) => {
      const broken = judge(place, specifier, kind);
      if (broken) context.report({ node, ...broken });
    };
    return {
      ImportDeclaration(node) {
        check(node, node.source.value, importKind(node));
      },
      ExportNamedDeclaration(node) {
        if (node.source) check(node, node.source.value, node.exportKind);
      },
      ExportAllDeclaration(node) {
        check(node, node.source.value, node.exportKind);
      },
      ImportExpression(node) {
        const source = node.source;
        if (source.type === "Literal" && typeof source.value === "string") {
          check(node, source.value, "value");
        }
      },
      TSImportType(node) {
        const argument = node.argument;
        if (argument.type !== "TSLiteralType") return;
        const literal = argument.literal;
        if (literal.type === "Literal" && typeof literal.value === "string") {
          check(node, literal.value, "type");
        }
      },
      MemberExpression(node) {
        if (!isForeignCall(node)) return;
        if (!place.isProgram || place.path === FOREIGN_CODE) return;
        context.report({
          node,
          message: "Foreign function interface outside its one audited file.",
          hint: `Add a function to ${FOREIGN_CODE} and call that.`,
        });
      },
    };
  },
};

/** A statement is a type import when all of it is. */
export function importKind(
  node: Deno.lint.ImportDeclaration,
): "type" | "value" {
  const allTypes = node.specifiers.length > 0 &&
    node.specifiers.every((each) =>
      each.type === "ImportSpecifier" && each.importKind === "type"
    );
  return node.importKind === "type" || allTypes ? "type" : "value";
}

function isForeignCall(node: Deno.lint.MemberExpression): boolean {
  return node.object.type === "Identifier" && node.object.name === "Deno" &&
    node.property.type === "Identifier" &&
    FOREIGN_NAMES.test(node.property.name);
}

function judge(
  place: Place,
  specifier: string,
  kind: "type" | "value",
): { message: string; hint: string } | undefined {
  if (/^(\.{0,2}\/|node:|file:)/.test(specifier)) return undefined;
  if (/^[a-z]+:/.test(specifier)) {
    return {
      message:
        `${specifier} carries its version here: versions live in one place.`,
      hint: `Add it to "imports" of deno.json and import the bare name.`,
    };
  }
  if (!place.isProgram) return undefined;
  const name = packageOf(specifier);
  const fence = FENCES[name];
  if (fence === undefined) {
    return {
      message: `${name} is a package the house does not know: a new ` +
        `dependency is a decision.`,
      hint: "Write a record in .github/decisions and add its fence to " +
        "tests/house/rules/fences.ts, or do without.",
    };
  }
  const open = kind === "type"
    ? [...fence.values, ...fence.types]
    : fence.values;
  if (open.some((each) => isIn(place.path, each))) return undefined;
  return {
    message: `${name} is fenced in: its ${kind}s may be imported only in ` +
      `${open.join(", ")}, so that a swap stays one change.`,
    hint: name === "@kubernetes/client-node"
      ? "Take the type from lib/api/types.ts, or the call from lib/port/cluster.ts."
      : "Use what the fenced file exports, or add to it.",
  };
}

function isIn(path: string, place: string): boolean {
  return place.endsWith("/") ? path.startsWith(place) : path === place;
}
