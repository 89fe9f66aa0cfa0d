/**
 * A configuration document as data: what YAML or JSON said, and where each
 * value was said. Parsing makes trees, merging joins them, decoding reads them.
 */

/** Who set a value. Lines and columns count from 1. */
export type Origin =
  | { readonly kind: "default" }
  | { readonly kind: "legacy-default" }
  | {
    readonly kind: "file" | "drop-in";
    readonly path: string;
    readonly line: number;
    readonly column: number;
  }
  | { readonly kind: "flag"; readonly flag: string };

export type Tree = ScalarTree | ListTree | MapTree;

export interface ScalarTree {
  readonly kind: "scalar";
  /** A bigint only for a whole number that a double cannot hold exactly. */
  readonly value: string | number | bigint | boolean | null;
  readonly origin: Origin;
}

export interface ListTree {
  readonly kind: "list";
  readonly items: readonly Tree[];
  readonly origin: Origin;
}

/** The origin of an entry is that of its key. */
export interface MapTree {
  readonly kind: "map";
  readonly entries: ReadonlyMap<string, Tree>;
  readonly origin: Origin;
}

/** A value as JSON has it. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json };

/** A JSON object without a prototype, so that any key is an ordinary key. */
export function jsonObject(entries: Iterable<readonly [string, Json]>): Json {
  const object: { [key: string]: Json } = Object.create(null);
  for (const [key, value] of entries) object[key] = value;
  return object;
}

/** One value with one origin, as a tree. */
export function treeOf(value: Json, origin: Origin): Tree {
  if (Array.isArray(value)) {
    const items: readonly Json[] = value;
    return { kind: "list", items: items.map((i) => treeOf(i, origin)), origin };
  }
  if (typeof value !== "object" || value === null) {
    return { kind: "scalar", value: scalarOf(value), origin };
  }
  const entries = new Map<string, Tree>();
  for (const [key, item] of Object.entries(value)) {
    entries.set(key, treeOf(item, origin));
  }
  return { kind: "map", entries, origin };
}

function scalarOf(value: Json): ScalarTree["value"] {
  return typeof value === "object" ? null : value;
}

/** The plain value of a tree. */
export function jsonOf(tree: Tree): Json {
  switch (tree.kind) {
    case "scalar":
      return typeof tree.value === "bigint" ? `${tree.value}` : tree.value;
    case "list":
      return tree.items.map(jsonOf);
    case "map":
      return jsonObject([...tree.entries].map(([k, v]) => [k, jsonOf(v)]));
  }
}

/** The provenance text of `check-config`. */
export function describeOrigin(origin: Origin): string {
  switch (origin.kind) {
    case "default":
      return "default";
    case "legacy-default":
      return "default (no --config)";
    case "file":
      return `${origin.path}:${origin.line}`;
    case "drop-in":
      return `drop-in ${origin.path}:${origin.line}`;
    case "flag":
      return `flag --${origin.flag}`;
  }
}

/** `path:line:column: ` or `--flag: `, to begin an error message with. */
export function placeOf(origin: Origin): string {
  if (origin.kind === "flag") return `--${origin.flag}: `;
  if (origin.kind !== "file" && origin.kind !== "drop-in") return "";
  return `${origin.path}:${origin.line}:${origin.column}: `;
}

/** A short one-line picture of a tree for error messages. */
export function printTree(tree: Tree): string {
  switch (tree.kind) {
    case "scalar":
      return shorten(
        typeof tree.value === "bigint"
          ? String(tree.value)
          : JSON.stringify(tree.value),
      );
    case "list":
      return "a list";
    case "map":
      return "a map";
  }
}

/** At most 80 characters, the rest told by an ellipsis. */
export function shorten(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}
