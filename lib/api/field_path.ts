/**
 * Fields of a pod by their path, as text. Read by the environment of
 * containers and by downward API volumes.
 * Compat: kubelet 1.36 fieldpath.ExtractFieldPathAsString.
 */
import { nameOf, namespaceOf, uidOf } from "./pod.ts";
import type { V1Pod } from "./types.ts";

export type TextResult =
  | { readonly kind: "ok"; readonly text: string }
  | { readonly kind: "refused"; readonly message: string };

type Texts = Readonly<Record<string, string>>;

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["\x07", "\\a"],
  ["\b", "\\b"],
  ["\f", "\\f"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\v", "\\v"],
  ["\\", "\\\\"],
  ['"', '\\"'],
]);

/** `metadata.labels['key']` → `metadata.labels` and `key`. */
export function subscriptOf(
  path: string,
): { readonly of: string; readonly key: string } | undefined {
  const found = /^(.+?)\['(.*)'\]$/s.exec(path);
  if (found === null) return undefined;
  const [, of = "", key = ""] = found;
  return { of, key };
}

/** Of the metadata only: what else a pod tells, its reader must know. */
export function fieldText(pod: V1Pod, path: string): TextResult {
  const { labels = {}, annotations = {} } = pod.metadata ?? {};
  const subscript = subscriptOf(path);
  if (subscript !== undefined) {
    const { of, key } = subscript;
    if (of === "metadata.labels") return ok(textAt(labels, key));
    if (of === "metadata.annotations") return ok(textAt(annotations, key));
    return refused(`fieldPath ${quoted(path)} does not support subscript`);
  }
  switch (path) {
    case "metadata.annotations":
      return ok(formatted(annotations));
    case "metadata.labels":
      return ok(formatted(labels));
    case "metadata.name":
      return ok(nameOf(pod));
    case "metadata.namespace":
      return ok(namespaceOf(pod));
    case "metadata.uid":
      return ok(uidOf(pod));
    default:
      return refused(`unsupported fieldPath: ${path}`);
  }
}

/** One `key="value"` a line, sorted by key. */
function formatted(texts: Texts): string {
  return Object.keys(texts).sort()
    .map((key) => `${key}=${quoted(textAt(texts, key))}`)
    .join("\n");
}

/** Compat: Go's strconv.Quote. */
export function quoted(text: string): string {
  let out = '"';
  for (const each of text) out += ESCAPES.get(each) ?? shown(each);
  return `${out}"`;
}

function shown(character: string): string {
  if (character === " ") return character;
  const code = character.codePointAt(0) ?? 0;
  // Half of a pair, which no UTF-8 can hold.
  if (code >= 0xd800 && code <= 0xdfff) return "\ufffd";
  if (/^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(character)) return character;
  const hex = (digits: number) => code.toString(16).padStart(digits, "0");
  if (code < 0x20 || code === 0x7f) return `\\x${hex(2)}`;
  return code < 0x10000 ? `\\u${hex(4)}` : `\\U${hex(8)}`;
}

/** The text of a key; empty without one. */
export function textAt(texts: Texts, key: string): string {
  return Object.hasOwn(texts, key) ? String(texts[key]) : "";
}

function ok(text: string): TextResult {
  return { kind: "ok", text };
}

function refused(message: string): TextResult {
  return { kind: "refused", message };
}
