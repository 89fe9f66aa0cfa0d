/**
 * A document's tree to a typed pod, field by field of `pod_schema.ts`. What
 * comes out holds only known fields and null-prototype maps, so outside names
 * cannot reach anything.
 * Compat: kubelet 1.36 decodes leniently: an unknown field is ignored (we
 * say so), a value of the wrong type refuses the pod.
 */
import { parseQuantity } from "../api/quantity.ts";
import type { V1Pod } from "../api/types.ts";
import { type Path, render } from "./field.ts";
import { POD_SCHEMA, type TypeName } from "./pod_schema.ts";
import { kindOf, objectOf, type Tree, WrittenNumber } from "./tree.ts";

/** Something wrong at a path, before it has a line. */
export interface Remark {
  readonly severity: "error" | "warning";
  readonly path: Path;
  readonly message: string;
}

export interface Decoded {
  /** Undefined when there was an error. */
  readonly pod: V1Pod | undefined;
  readonly remarks: readonly Remark[];
}

const LEAST_INT32 = -(2 ** 31);
const GREATEST_INT32 = 2 ** 31 - 1;

export function decodePod(tree: Tree, base: Path): Decoded {
  const remarks: Remark[] = [];
  const pod = decode({ base, remarks }, tree, { type: "Pod", path: [] });
  return { pod: isWhole(pod, remarks) ? pod : undefined, remarks };
}

/** The schema stands for the type: a value without errors has its shape. */
function isWhole(pod: unknown, remarks: readonly Remark[]): pod is V1Pod {
  return pod !== undefined &&
    !remarks.some(({ severity }) => severity === "error");
}

interface Context {
  /** Where the pod is in its document: a list's item, or the root. */
  readonly base: Path;
  readonly remarks: Remark[];
}

interface Spot {
  readonly type: TypeName;
  readonly path: Path;
}

function decode(context: Context, tree: Tree, spot: Spot): unknown {
  // Compat: null is as good as absent to Go's decoder.
  if (tree === null) return undefined;
  const { type } = spot;
  if (type.startsWith("[]")) return decodeList(context, tree, spot);
  if (type.startsWith("{}")) return decodeMap(context, tree, spot);
  const fields = POD_SCHEMA.get(type);
  if (fields !== undefined) return decodeObject(context, tree, spot);
  switch (type) {
    case "any":
      return undefined;
    case "string":
      return typeof tree === "string" ? tree : wrong(context, tree, spot);
    case "bool":
      return typeof tree === "boolean" ? tree : wrong(context, tree, spot);
    case "quantity":
      return decodeQuantity(context, tree, spot);
    case "intOrString":
      return typeof tree === "string"
        ? tree
        : decodeInteger(context, tree, spot);
    default:
      return decodeInteger(context, tree, spot);
  }
}

function decodeObject(context: Context, tree: Tree, spot: Spot): unknown {
  const entries = objectOf(tree);
  if (entries === undefined) return wrong(context, tree, spot);
  const fields = POD_SCHEMA.get(spot.type);
  const object: Record<string, unknown> = {};
  for (const [name, value] of entries) {
    const path = [...spot.path, name];
    const type = fields?.get(name);
    if (type === undefined) {
      const message = `${render(path)}: unknown field, ignored`;
      remark(context, { severity: "warning", path, message });
      continue;
    }
    const decoded = decode(context, value, { type, path });
    // Only names of the schema get here, none of them special.
    if (decoded !== undefined) object[name] = decoded;
  }
  return object;
}

function decodeList(context: Context, tree: Tree, spot: Spot): unknown {
  if (!Array.isArray(tree)) return wrong(context, tree, spot);
  const type = spot.type.slice(2);
  return tree.map((item: Tree, index) => {
    const at = { type, path: [...spot.path, index] };
    const decoded = decode(context, item, at);
    return decoded === undefined && item === null ? zeroOf(type) : decoded;
  });
}

function decodeMap(context: Context, tree: Tree, spot: Spot): unknown {
  const entries = objectOf(tree);
  if (entries === undefined) return wrong(context, tree, spot);
  const type = spot.type.slice(2);
  const map: Record<string, unknown> = Object.create(null);
  for (const [key, value] of entries) {
    const at = { type, path: [...spot.path, { key }] };
    map[key] = decode(context, value, at) ?? zeroOf(type);
  }
  return map;
}

/** Compat: Go's zero value, where a null stands in a list or map. */
function zeroOf(type: TypeName): unknown {
  if (type === "string") return "";
  if (type === "quantity") return "0";
  return POD_SCHEMA.has(type) ? {} : 0;
}

function decodeInteger(context: Context, tree: Tree, spot: Spot): unknown {
  if (!(tree instanceof WrittenNumber) || !Number.isInteger(tree.value)) {
    return wrong(context, tree, spot);
  }
  const { path, type } = spot;
  if (type !== "int64") {
    const isFit = tree.value >= LEAST_INT32 && tree.value <= GREATEST_INT32;
    if (isFit) return tree.value;
    const message = `${render(path)}: Invalid value: ${tree.text}: must be ` +
      `between ${LEAST_INT32} and ${GREATEST_INT32}, inclusive`;
    remark(context, { severity: "error", path, message });
    return undefined;
  }
  if (Number.isSafeInteger(tree.value)) return tree.value;
  // No field means anything by a number this large but "for ever".
  const used = Math.sign(tree.value) * Number.MAX_SAFE_INTEGER;
  const message = `${render(path)}: ${tree.text} is taken as ${used}`;
  remark(context, { severity: "warning", path, message });
  return used;
}

function decodeQuantity(context: Context, tree: Tree, spot: Spot): unknown {
  const text = tree instanceof WrittenNumber ? tree.text : tree;
  if (typeof text !== "string") return wrong(context, tree, spot);
  if (parseQuantity(text) !== undefined) return text;
  const { path } = spot;
  const message = `${render(path)}: Invalid value: ${JSON.stringify(text)}: ` +
    `want a quantity such as "500m", "1.5" or "64Mi"`;
  remark(context, { severity: "error", path, message });
  return undefined;
}

const WANTED: ReadonlyMap<TypeName, string> = new Map([
  ["string", "text (put it in quotes)"],
  ["bool", "true or false"],
  ["int32", "a whole number"],
  ["int64", "a whole number"],
  ["intOrString", "a whole number or text"],
  ["quantity", 'a quantity such as "64Mi"'],
]);

function wrong(context: Context, tree: Tree, { type, path }: Spot): undefined {
  const wanted = WANTED.get(type) ??
    (type.startsWith("[]") ? "a list" : "an object");
  const isShort = typeof tree === "string" || typeof tree === "boolean" ||
    tree instanceof WrittenNumber;
  const value = tree instanceof WrittenNumber
    ? ` ${tree.text}`
    : isShort
    ? ` ${JSON.stringify(tree)}`
    : "";
  const message = `${render(path) || "the document"}: found ` +
    `${kindOf(tree)}${value}, want ${wanted}`;
  remark(context, { severity: "error", path, message });
  return undefined;
}

function remark(context: Context, { path, ...rest }: Remark): void {
  context.remarks.push({ ...rest, path: [...context.base, ...path] });
}
