/**
 * The text of a manifest file, YAML or JSON, to its documents. Pure; the only
 * user of the YAML library besides `config/parse.ts`. Works in steps, so that
 * the reader of a long file can let others run in between. Never throws for
 * what a file contains.
 */
import {
  type Alias,
  Composer,
  type Document as YamlDocument,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  Parser,
  type YAMLMap,
} from "yaml";
import type { Path } from "./field.ts";
import { plainScalar } from "./scalar.ts";
import { atOnce } from "./slices.ts";
import { decodeText } from "./text.ts";
import {
  type Document,
  mergeInto,
  type Place,
  type Tree,
  Unreadable,
} from "./tree.ts";
import type { Finding } from "./types.ts";

/** Parts between two yields; about a millisecond's work. */
const STEP = 500;
/** A document is composed at one go, so it may not have more parts. */
const MOST_PARTS = 100_000;
const MOST_NODES = 200_000;
const DEEPEST = 100;

export interface ParsedFile {
  readonly documents: readonly Document[];
  readonly findings: readonly Finding[];
}

/** Reads a whole file at once. */
export function parseFile(bytes: Uint8Array): ParsedFile {
  return atOnce(parseSteps(bytes));
}

/** Reads a file and yields about once a millisecond. */
export function* parseSteps(
  bytes: Uint8Array,
): Generator<void, ParsedFile, void> {
  const text = decodeText(bytes);
  if (typeof text !== "string") {
    return { documents: [], findings: [error(text.problem)] };
  }
  const lines = new LineCounter();
  const documents: Document[] = [];
  const findings: Finding[] = [];
  try {
    for (const yaml of yield* compose(text, lines)) {
      const found = tryDocument(yaml, lines, findings);
      if (found !== undefined) documents.push(found);
      yield;
    }
  } catch (error) {
    findings.push(problemFrom(error, lines));
  }
  if (documents.length === 0 && findings.length === 0) {
    findings.push(error("the file has no document, only comments or blanks"));
  }
  return { documents, findings };
}

function* compose(
  text: string,
  lines: LineCounter,
): Generator<void, YamlDocument.Parsed[], void> {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  const composer = new Composer({
    schema: "failsafe",
    uniqueKeys: false,
    logLevel: "silent",
  });
  const found: YamlDocument.Parsed[] = [];
  let parts = 0;
  let offset = 0;
  for (const lexeme of new Lexer().lex(text)) {
    offset += lexeme.length;
    if (++parts > MOST_PARTS) {
      throw new Unreadable("the document is too complex for a pod", offset);
    }
    for (const token of parser.next(lexeme)) {
      if (token.type === "document") parts = 0;
      found.push(...composer.next(token));
    }
    if (parts % STEP === 0) yield;
  }
  for (const token of parser.end()) found.push(...composer.next(token));
  found.push(...composer.end());
  return found;
}

/** One document that cannot be read leaves the others alone. */
function tryDocument(
  yaml: YamlDocument.Parsed,
  lines: LineCounter,
  findings: Finding[],
): Document | undefined {
  try {
    return documentFrom(yaml, lines, findings);
  } catch (error) {
    findings.push(problemFrom(error, lines));
    return undefined;
  }
}

function documentFrom(
  yaml: YamlDocument.Parsed,
  lines: LineCounter,
  findings: Finding[],
): Document | undefined {
  const [first] = yaml.errors;
  if (first !== undefined) {
    findings.push(error(firstLine(first.message), at(lines, first.pos[0])));
    return undefined;
  }
  const root = yaml.contents;
  if (root === null || (isScalar(root) && root.source === "")) return undefined;
  const reading: Reading = {
    lines,
    findings,
    anchors: new Map(),
    isInAlias: false,
    nodesLeft: MOST_NODES,
  };
  return {
    tree: treeFrom(reading, root, 0),
    locate: (path) => at(lines, offsetOf(yaml, root, path)),
  };
}

interface Reading {
  readonly lines: LineCounter;
  readonly findings: Finding[];
  /** The latest node of each name so far, which is what an alias means. */
  readonly anchors: Map<string, Node>;
  isInAlias: boolean;
  /** Aliases are copied out, so a bomb of them runs out of this. */
  nodesLeft: number;
}

function treeFrom(reading: Reading, node: Node | null, depth: number): Tree {
  const offset = node?.range?.[0] ?? 0;
  if (--reading.nodesLeft < 0) {
    throw new Unreadable(
      "the document is too complex: its aliases expand to too much",
      offset,
    );
  }
  if (depth > DEEPEST) {
    throw new Unreadable(`nested more than ${DEEPEST} deep`, offset);
  }
  if (node === null) return null;
  if (isAlias(node)) return aliasFrom(reading, node, depth);
  if (node.anchor !== undefined && !reading.isInAlias) {
    reading.anchors.set(node.anchor, node);
  }
  if (isSeq<Node>(node)) {
    return node.items.map((item) => treeFrom(reading, item, depth + 1));
  }
  return isMap<Node, Node | null>(node)
    ? objectFrom(reading, node, depth)
    : scalarFrom(node);
}

function aliasFrom(reading: Reading, alias: Alias, depth: number): Tree {
  const node = reading.anchors.get(alias.source);
  if (node === undefined) {
    const message = `alias *${alias.source} has no anchor before it`;
    throw new Unreadable(message, alias.range?.[0] ?? 0);
  }
  const outer = reading.isInAlias;
  reading.isInAlias = true;
  const tree = treeFrom(reading, node, depth + 1);
  reading.isInAlias = outer;
  return tree;
}

function objectFrom(
  reading: Reading,
  map: YAMLMap<Node, Node | null>,
  depth: number,
): Tree {
  const merged = new Map<string, Tree>();
  const own = new Map<string, Tree>();
  for (const { key, value } of map.items) {
    const tree = treeFrom(reading, value, depth + 1);
    const isMerge = isScalar(key) && key.type === "PLAIN" &&
      key.source === "<<";
    if (isMerge) mergeInto(merged, tree);
    else {
      const name = keyFrom(key);
      if (own.has(name)) {
        const place = at(reading.lines, key.range?.[0] ?? 0);
        const message = `key ${JSON.stringify(name)} is there twice, ` +
          `the last one counts`;
        reading.findings.push({ severity: "warning", message, ...place });
      }
      own.set(name, tree);
    }
  }
  return merged.size === 0 ? own : new Map([...merged, ...own]);
}

function keyFrom(key: Node): string {
  if (!isScalar(key)) {
    throw new Unreadable("a key must be text", key.range?.[0] ?? 0);
  }
  const tree = scalarFrom(key);
  return tree === null || typeof tree === "boolean" || typeof tree === "string"
    ? String(tree)
    : key.source ?? "";
}

function scalarFrom(node: Node): Tree {
  if (!isScalar(node)) return null;
  const text = node.source ?? String(node.value ?? "");
  if (node.tag === "tag:yaml.org,2002:str") return text;
  return node.type === "PLAIN" ? plainScalar(text) : text;
}

function offsetOf(
  yaml: YamlDocument.Parsed,
  root: Node,
  path: Path,
): number {
  let node: Node | null = root;
  let offset = root.range?.[0] ?? 0;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(yaml) ?? null;
    let next: Node | null = null;
    if (typeof step === "number") {
      if (isSeq<Node>(node)) next = node.items[step] ?? null;
      offset = next?.range?.[0] ?? offset;
    } else if (isMap<Node, Node | null>(node)) {
      const name = typeof step === "object" ? step.key : step;
      const found = pairIn(node, name);
      next = found?.value ?? null;
      offset = found?.key.range?.[0] ?? offset;
    }
    if (next === null) return offset;
    node = next;
  }
  return offset;
}

function pairIn(map: YAMLMap<Node, Node | null>, name: string) {
  return map.items.find(({ key }) =>
    isScalar(key) && String(key.source ?? key.value) === name
  );
}

function problemFrom(thrown: unknown, lines: LineCounter): Finding {
  if (thrown instanceof Unreadable) {
    return error(thrown.message, at(lines, thrown.offset));
  }
  // The library recurses; the stack is its only limit of depth.
  if (thrown instanceof RangeError) return error("nested far too deep");
  throw thrown;
}

function at(lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

function error(message: string, place?: Place): Finding {
  return { severity: "error", message, ...place };
}

function firstLine(message: string): string {
  return message.split("\n", 1)[0]?.replace(
    / at line \d+, column \d+:?$/,
    "",
  ) ??
    message;
}
