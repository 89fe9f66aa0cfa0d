/**
 * What the downward API tells a pod of itself in files. Pure.
 * Compat: kubelet 1.36 fieldpath.ExtractFieldPathAsString and
 * resource.ExtractContainerResourceValue.
 */
import { nameOf, namespaceOf, uidOf } from "../api/pod.ts";
import { milliUnits, parseQuantity, units } from "../api/quantity.ts";
import type {
  V1DownwardAPIVolumeFile,
  V1Pod,
  V1ResourceFieldSelector,
} from "../api/types.ts";

export type TextResult =
  | { readonly kind: "ok"; readonly text: string }
  | { readonly kind: "refused"; readonly message: string };

type Texts = Readonly<Record<string, string>>;

/** Resources without a limit may use all that pods may use of the node. */
const BOUND_BY_NODE = ["cpu", "memory", "ephemeral-storage"];
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

export function downwardText(
  item: V1DownwardAPIVolumeFile,
  pod: V1Pod,
  allocatable: ReadonlyMap<string, string>,
): TextResult {
  if (item.fieldRef !== undefined) {
    return fieldText(pod, item.fieldRef.fieldPath);
  }
  return item.resourceFieldRef === undefined
    ? ok("")
    : resourceText(item.resourceFieldRef, pod, allocatable);
}

function fieldText(pod: V1Pod, path: string): TextResult {
  const { labels = {}, annotations = {} } = pod.metadata ?? {};
  const subscript = /^(.+?)\['(.*)'\]$/s.exec(path);
  if (subscript !== null) {
    const [, of = "", key = ""] = subscript;
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

function resourceText(
  selector: V1ResourceFieldSelector,
  pod: V1Pod,
  allocatable: ReadonlyMap<string, string>,
): TextResult {
  const { containerName = "", resource, divisor } = selector;
  const { initContainers = [], containers = [] } = pod.spec ?? {};
  const container = [...containers, ...initContainers]
    .find(({ name }) => name === containerName);
  if (container === undefined) {
    return refused(`container ${containerName} not found`);
  }
  const [, list = "", name = ""] = /^(limits|requests)\.(.+)$/.exec(resource) ??
    [];
  if (!BOUND_BY_NODE.includes(name) && !name.startsWith("hugepages-")) {
    return refused(`unsupported container resource : ${resource}`);
  }
  const { limits = {}, requests = {} } = container.resources ?? {};
  const own = amount(textAt(list === "limits" ? limits : requests, name));
  const isOpen = list === "limits" && own === 0n &&
    BOUND_BY_NODE.includes(name);
  const value = isOpen ? amount(allocatable.get(name) ?? "") : own;
  const count = name === "cpu" ? milliUnits : units;
  const by = count(amount(divisor ?? "") || amount("1"));
  return ok(String(dividedUp(count(value), by)));
}

function amount(text: string): bigint {
  return parseQuantity(text) ?? 0n;
}

function dividedUp(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value > 0n && quotient * by !== value ? quotient + 1n : quotient;
}

function textAt(texts: Texts, key: string): string {
  return Object.hasOwn(texts, key) ? String(texts[key]) : "";
}

function ok(text: string): TextResult {
  return { kind: "ok", text };
}

function refused(message: string): TextResult {
  return { kind: "refused", message };
}
