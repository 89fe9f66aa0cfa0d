/**
 * Values under way: what has been set so far, by whom. Reading a document or a
 * command line makes settings; defaults fill them up; the configuration is built
 * from them at the end.
 */
import { type Field, isField, isZero, type Shape } from "./field.ts";
import { KUBELET_FIELDS, KUBELET_SHAPE } from "./schema.ts";
import {
  type Json,
  jsonObject,
  jsonOf,
  type MapTree,
  type Origin,
  placeOf,
  printTree,
  shorten,
  type Tree,
  treeOf,
} from "./tree.ts";

export interface Setting {
  readonly value: unknown;
  readonly origin: Origin;
}

/** Settings by the dotted path of their field. */
export type Settings = ReadonlyMap<string, Setting>;

export type Decoded =
  | {
    readonly kind: "ok";
    readonly settings: Settings;
    readonly warnings: readonly string[];
  }
  | { readonly kind: "invalid"; readonly message: string };

/**
 * The settings a document makes. Unknown fields are warnings; a value of the
 * wrong kind ends it. Null is as good as absent.
 * Compat: kubelet 1.36 DecodeKubeletConfiguration (lenient, case-sensitive)
 */
export function decodeTree(root: MapTree): Decoded {
  const settings = new Map<string, Setting>();
  const warnings: string[] = [];
  const problem = decodeMap({ shape: KUBELET_SHAPE, prefix: "" }, root, {
    settings,
    warnings,
  });
  return problem === undefined
    ? { kind: "ok", settings, warnings }
    : { kind: "invalid", message: problem };
}

function decodeMap(
  level: { readonly shape: Shape; readonly prefix: string },
  tree: MapTree,
  out: { settings: Map<string, Setting>; warnings: string[] },
): string | undefined {
  for (const [key, entry] of tree.entries) {
    const path = level.prefix + key;
    const part = Object.hasOwn(level.shape, key) ? level.shape[key] : undefined;
    if (part === undefined) {
      out.warnings.push(unknownField(entry, { path, key, shape: level.shape }));
    } else if (entry.kind === "scalar" && entry.value === null) {
      continue;
    } else if (!isField(part)) {
      if (entry.kind !== "map") {
        return refusal(entry, path, "a map of its own fields");
      }
      const inner = { shape: part, prefix: `${path}.` };
      const problem = decodeMap(inner, entry, out);
      if (problem !== undefined) return problem;
    } else if (!isUnset(entry, part)) {
      const value = part.kind.fromTree(entry);
      if (value === undefined) {
        return refusal(entry, path, part.kind.allowed);
      }
      out.settings.set(path, { value, origin: entry.origin });
    }
  }
  return undefined;
}

/** An empty text stands for "not set" wherever upstream cannot tell them apart. */
function isUnset(tree: Tree, part: Field<unknown>): boolean {
  return tree.kind === "scalar" && tree.value === "" &&
    part.keepsZero !== true && typeof part.initial === "string";
}

function refusal(tree: Tree, path: string, allowed: string): string {
  return `${placeOf(tree.origin)}${path}: value ${printTree(tree)} ` +
    `is not allowed: ${allowed}`;
}

function unknownField(
  tree: Tree,
  { path, key, shape }: { path: string; key: string; shape: Shape },
): string {
  const near = Object.keys(shape).find((name) =>
    name.toLowerCase() === key.toLowerCase()
  );
  const hint = near === undefined ? "" : `; did you mean ${near}?`;
  return `${placeOf(tree.origin)}${
    shorten(path)
  }: unknown field, ignored${hint}`;
}

/**
 * The same settings with every missing field at its v1beta1 default. A zero
 * counts as missing where upstream's type has no other way to say so.
 * Compat: kubelet 1.36 SetDefaults_KubeletConfiguration
 */
export function withDefaults(settings: Settings): Settings {
  const full = new Map<string, Setting>();
  for (const [path, { initial, keepsZero, kind }] of KUBELET_FIELDS) {
    const own = settings.get(path);
    // A zero duration is what kubeadm writes for "not set".
    const isMissing = own === undefined ||
      keepsZero !== true && isZero(own.value) &&
        (!isZero(initial) || kind.toJson(own.value) === "0s");
    full.set(
      path,
      isMissing ? { value: initial, origin: { kind: "default" } } : own,
    );
  }
  const pids = full.get("podPidsLimit");
  if (typeof pids?.value === "number" && pids.value < 0) {
    full.set("podPidsLimit", { ...pids, value: -1 });
  }
  fillDependent(settings, full);
  return full;
}

/** The defaults that look at other fields. */
function fillDependent(settings: Settings, full: Map<string, Setting>): void {
  const isSet = (path: string) => {
    const own = settings.get(path);
    return own !== undefined && !(own.value === 0);
  };
  const update = full.get("nodeStatusUpdateFrequency");
  if (
    update !== undefined && isSet("nodeStatusUpdateFrequency") &&
    !isSet("nodeStatusReportFrequency")
  ) {
    full.set("nodeStatusReportFrequency", update);
  }
  const pulls = settings.get("maxParallelImagePulls");
  if (
    !settings.has("serializeImagePulls") &&
    typeof pulls?.value === "number" && pulls.value >= 2
  ) {
    full.set("serializeImagePulls", { value: false, origin: pulls.origin });
  }
}

/**
 * The settings as a document again, without what upstream's encoding leaves out
 * (zeros and empty collections), so that drop-ins are laid over the same thing.
 */
export function encodeSettings(settings: Settings): MapTree {
  return encodeShape({ shape: KUBELET_SHAPE, prefix: "" }, settings);
}

function encodeShape(
  level: { readonly shape: Shape; readonly prefix: string },
  settings: Settings,
): MapTree {
  const entries = new Map<string, Tree>();
  for (const [key, part] of Object.entries(level.shape)) {
    const path = level.prefix + key;
    if (!isField(part)) {
      const inner = { shape: part, prefix: `${path}.` };
      entries.set(key, encodeShape(inner, settings));
      continue;
    }
    const own = settings.get(path);
    if (own !== undefined && !isLeftOut(part, own.value)) {
      entries.set(key, treeOf(part.kind.toJson(own.value), own.origin));
    }
  }
  return { kind: "map", entries, origin: { kind: "default" } };
}

/** Compat: Go's `omitempty` on the v1beta1 types; durations stay as "0s" */
function isLeftOut(part: Field<unknown>, value: unknown): boolean {
  if (value === undefined) return true;
  if (Array.isArray(value)) return value.length === 0;
  if (value instanceof Map) return value.size === 0;
  return part.keepsZero !== true && isZero(value) &&
    part.kind.toJson(value) !== "0s";
}

/** Groups that upstream leaves out when nothing in them is set. */
const OPTIONAL_GROUPS = ["tracing", "userNamespaces"] as const;

/**
 * The effective configuration as a v1beta1 document, durations as Go texts: what
 * upstream serves under /configz.
 */
export function effectiveJson(settings: Settings): Json {
  const { entries } = encodeSettings(settings);
  const shown = [...entries].filter(([key, tree]) =>
    !OPTIONAL_GROUPS.some((group) => group === key) ||
    tree.kind === "map" && tree.entries.size > 0
  );
  return jsonObject([
    ["kind", "KubeletConfiguration"],
    ["apiVersion", "kubelet.config.k8s.io/v1beta1"],
    ...shown.map(([key, tree]) => [key, jsonOf(tree)] as const),
  ]);
}
