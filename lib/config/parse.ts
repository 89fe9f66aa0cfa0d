/**
 * Text of one configuration file to a tree with places. The only reader of
 * YAML for configuration; JSON is read as the YAML it is. Hostile or broken
 * text ends in one line that says where and why, never in an exception.
 */
import {
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseAllDocuments,
} from "yaml";
import type { MapTree, Origin, ScalarTree, Tree } from "./tree.ts";
import { placeOf, shorten } from "./tree.ts";

const MAX_CHARACTERS = 1 << 20;
const MAX_VALUES = 20_000;
const MAX_DEPTH = 64;
/** What a document must say that it is. */
export interface Header {
  readonly kind: string;
  readonly apiVersions: readonly string[];
}

const KUBELET: Header = {
  kind: "KubeletConfiguration",
  apiVersions: ["kubelet.config.k8s.io/v1beta1"],
};

/** One configuration file as the caller read it. */
export interface ConfigText {
  readonly path: string;
  readonly text: string;
}

export type ParsedDocument =
  | {
    readonly kind: "ok";
    readonly root: MapTree;
    readonly warnings: readonly string[];
  }
  | { readonly kind: "invalid"; readonly message: string };

/**
 * The tree of one document, without `apiVersion` and `kind`, which must be as
 * `header` says: KubeletConfiguration v1beta1 when it is left out. A key set twice is a warning and the
 * last one counts.
 * Compat: kubelet 1.36 fsLoader.Load
 */
export function parseConfigDocument(
  file: ConfigText,
  source: "file" | "drop-in",
  header: Header = KUBELET,
): ParsedDocument {
  const refusal = refuseText(file.text);
  if (refusal !== undefined) return invalid(`${file.path}: ${refusal}`);
  const lines = new LineCounter();
  const walk = new Walk(file, { lines, source });
  try {
    const root = walk.document();
    const problem = headerProblem(root, file.path, header);
    if (problem !== undefined) return invalid(problem);
    const entries = new Map(root.entries);
    entries.delete("apiVersion");
    entries.delete("kind");
    return { kind: "ok", root: { ...root, entries }, warnings: walk.warnings };
  } catch (error) {
    if (error instanceof Refusal) return invalid(error.message);
    // The YAML library recurses: absurd nesting ends here.
    if (error instanceof RangeError) {
      return invalid(`${file.path}: is nested too deeply`);
    }
    throw error;
  }
}

function invalid(message: string): ParsedDocument {
  return { kind: "invalid", message };
}

function refuseText(text: string): string | undefined {
  if (text.trim() === "") return "the file is empty";
  if (text.length > MAX_CHARACTERS) {
    return `has ${text.length} characters; at most ${MAX_CHARACTERS} are allowed`;
  }
  // deno-lint-ignore no-control-regex -- control characters mean a binary file
  if (/[\x00-\x08\x0e-\x1f\ufffd]/.test(text)) {
    return "is not a text file: it holds bytes that are no YAML or JSON";
  }
  return undefined;
}

function headerProblem(
  root: MapTree,
  path: string,
  { kind, apiVersions }: Header,
): string | undefined {
  const wanted = [["apiVersion", apiVersions], ["kind", [kind]]] as const;
  for (const [key, values] of wanted) {
    const found = root.entries.get(key);
    const words = values.join(" or ");
    if (found === undefined) {
      return `${path}: ${key} is missing: it must be ${words}`;
    }
    if (
      found.kind !== "scalar" || !values.some((each) => each === found.value)
    ) {
      return `${placeOf(found.origin)}${key}: must be ${words}`;
    }
  }
  return undefined;
}

/** Ends a walk; never leaves this file. */
class Refusal extends Error {}

class Walk {
  readonly warnings: string[] = [];
  readonly #file: ConfigText;
  readonly #lines: LineCounter;
  readonly #source: "file" | "drop-in";
  /** What each anchor names so far; an alias comes after its anchor. */
  readonly #anchors = new Map<string, unknown>();
  #values = 0;

  constructor(
    file: ConfigText,
    options: { lines: LineCounter; source: "file" | "drop-in" },
  ) {
    this.#file = file;
    this.#lines = options.lines;
    this.#source = options.source;
  }

  document(): MapTree {
    // Compat: YAML 1.1 as Go reads it (yes/no are booleans, 010 is octal), but
    // no dates, binaries or base-60 numbers.
    const documents = [...parseAllDocuments(this.#file.text, {
      version: "1.1",
      schema: "yaml-1.1",
      merge: false,
      intAsBigInt: true,
      uniqueKeys: false,
      prettyErrors: false,
      lineCounter: this.#lines,
      customTags: (tags) =>
        tags.filter((tag) =>
          typeof tag === "string" ||
          !/binary|omap|pairs|set|timestamp/.test(tag.tag) &&
            !("format" in tag && tag.format === "TIME")
        ),
    })];
    for (const { errors } of documents) {
      const first = errors[0];
      if (first !== undefined) {
        this.#refuse(first.pos[0], syntaxMessage(first.message));
      }
    }
    const full = documents.filter((document) =>
      document.contents !== null &&
      !(isScalar(document.contents) && document.contents.value === null)
    );
    const only = full[0];
    if (only === undefined || full.length > 1) {
      throw new Refusal(
        `${this.#file.path}: holds ${full.length} documents; exactly one is allowed`,
      );
    }
    const root = this.#tree(only.contents, { at: 0, depth: 0 });
    if (root.kind !== "map") this.#refuse(0, `must be a map with a kind`);
    return root;
  }

  #tree(node: unknown, where: Where): Tree {
    if (++this.#values > MAX_VALUES) {
      this.#refuse(where.at, `holds or expands to over ${MAX_VALUES} values`);
    }
    if (where.depth > MAX_DEPTH) {
      this.#refuse(where.at, `is nested over ${MAX_DEPTH} levels deep`);
    }
    const origin = this.#origin(where.at);
    const depth = where.depth + 1;
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source);
      if (target === undefined) this.#refuse(where.at, "unknown alias");
      return this.#tree(target, { ...where, depth });
    }
    if ((isScalar(node) || isCollection(node)) && node.anchor !== undefined) {
      this.#anchors.set(node.anchor, node);
    }
    if (isMap(node)) {
      return this.#map(node.items, { origin, where: { ...where, depth } });
    }
    if (isSeq(node)) {
      const items = node.items.map((item) =>
        this.#tree(item, { ...where, at: startOf(item) ?? where.at, depth })
      );
      return { kind: "list", items, origin };
    }
    return { kind: "scalar", value: this.#scalar(node, where.at), origin };
  }

  #map(
    pairs: readonly Pair[],
    { origin, where }: { origin: Origin; where: Where },
  ): MapTree {
    const entries = new Map<string, Tree>();
    for (const pair of pairs) {
      const at = startOf(pair.key) ?? where.at;
      if (isCollection(pair.key)) this.#refuse(at, "a key must be text");
      const key = isScalar(pair.key) ? String(pair.key.value) : "";
      if (entries.has(key)) {
        this.warnings.push(
          `${placeOf(this.#origin(at))}${
            shorten(key)
          }: set twice; the last one counts`,
        );
      }
      entries.set(key, this.#tree(pair.value, { ...where, at }));
    }
    return { kind: "map", entries, origin };
  }

  #scalar(node: unknown, at: number): ScalarTree["value"] {
    const value: unknown = isScalar(node) ? node.value : null;
    switch (typeof value) {
      case "string":
      case "boolean":
      case "number":
        return value;
      case "bigint":
        return Number.isSafeInteger(Number(value)) ? Number(value) : value;
      default:
        return value === null || value === undefined
          ? null
          : this.#refuse(at, "holds a value that JSON does not know");
    }
  }

  #origin(at: number): Extract<Origin, { path: string }> {
    const { line, col } = this.#lines.linePos(at);
    const place = { line: Math.max(line, 1), column: Math.max(col, 1) };
    return { kind: this.#source, path: this.#file.path, ...place };
  }

  #refuse(at: number, why: string): never {
    throw new Refusal(placeOf(this.#origin(at)) + why);
  }
}

/** The YAML library's own words, on one line. */
function syntaxMessage(message: string): string {
  return /call stack/.test(message)
    ? "is nested too deeply"
    : shorten(message.replaceAll("\n", " "));
}

interface Where {
  /** Offset in the text, for messages and origins. */
  readonly at: number;
  readonly depth: number;
}

function startOf(node: unknown): number | undefined {
  return isScalar(node) || isCollection(node) || isAlias(node)
    ? node.range?.[0]
    : undefined;
}
