/**
 * The layers of a configuration: legacy or v1beta1 defaults, the file, its
 * drop-ins, the flags. Each is laid over the one before exactly as upstream does
 * it, quirks included; checking the outcome is left to load.ts.
 */
import type { ParsedFlags } from "./command_line.ts";
import type { SwitchMap } from "./kind_collection.ts";
import { mergePatch } from "./merge.ts";
import { type ConfigText, parseConfigDocument } from "./parse.ts";
import { KUBELET_FIELDS, KUBELET_SHAPE } from "./schema.ts";
import {
  decodeTree,
  encodeSettings,
  type Settings,
  withDefaults,
} from "./setting.ts";
import { resolvePath } from "./text_rules.ts";
import type { MapTree } from "./tree.ts";

export interface LoadInput {
  readonly flags: ParsedFlags;
  /** The file of `--config`; its path absolute. */
  readonly configFile?: ConfigText;
  /** The *.conf files of `--config-dir`, in any order. */
  readonly dropIns?: readonly ConfigText[];
  /** What the kernel calls this host. */
  readonly hostname: string;
}

/** Ends a load; caught by loadConfig. */
export class Refusal extends Error {}

/** Defaults, file and drop-ins; without a file, the legacy defaults and flags. */
export function documents(input: LoadInput, doubts: string[]): Settings {
  const { configFile, dropIns = [], flags } = input;
  const base = configFile === undefined
    ? withFlags(withLegacyDefaults(withDefaults(new Map())), flags)
    : fileSettings(configFile, doubts);
  if (dropIns.length === 0) return base;
  let root = encodeSettings(base);
  for (
    const file of [...dropIns].sort((a, b) => comparePaths(a.path, b.path))
  ) {
    const parsed = parseConfigDocument(file, "drop-in");
    if (parsed.kind === "invalid") throw new Refusal(parsed.message);
    doubts.push(...parsed.warnings);
    // Decoded alone, so that a bad value is told even if a later file hides it.
    decoded(mergePatch(undefined, parsed.root), doubts);
    root = mergePatch(root, parsed.root);
  }
  return withDefaults(decoded(root, []));
}

function comparePaths(a: string, b: string): number {
  // Compat: filepath.WalkDir sorts entry by entry, not the whole path.
  const left = a.replaceAll("/", "\0");
  const right = b.replaceAll("/", "\0");
  return left < right ? -1 : left > right ? 1 : 0;
}

function decoded(root: MapTree, doubts: string[]): Settings {
  const result = decodeTree(root);
  if (result.kind === "invalid") throw new Refusal(result.message);
  doubts.push(...result.warnings);
  return result.settings;
}

const DEFAULT_EVICTION_HARD = [
  ["memory.available", "100Mi"],
  ["nodefs.available", "10%"],
  ["nodefs.inodesFree", "5%"],
  ["imagefs.available", "15%"],
  ["imagefs.inodesFree", "5%"],
] as const;

/** Compat: kubelet 1.36 loadConfigFile */
function fileSettings(file: ConfigText, doubts: string[]): Settings {
  const parsed = parseConfigDocument(file, "file");
  if (parsed.kind === "invalid") throw new Refusal(parsed.message);
  doubts.push(...parsed.warnings);
  const own = decoded(parsed.root, doubts);
  const full = new Map(withDefaults(own));
  const directory = file.path.slice(0, file.path.lastIndexOf("/") + 1);
  for (const [path, { isFilePath }] of KUBELET_FIELDS) {
    const set = own.get(path);
    if (isFilePath && typeof set?.value === "string" && set.value !== "") {
      const value = resolvePath(directory, set.value);
      full.set(path, { value, origin: set.origin });
    }
  }
  const hard = own.get("evictionHard");
  if (hard === undefined) {
    const value = new Map(DEFAULT_EVICTION_HARD);
    full.set("evictionHard", { value, origin: { kind: "default" } });
  } else if (
    hard.value instanceof Map &&
    full.get("mergeDefaultEvictionSettings")?.value === true
  ) {
    const value = new Map([...DEFAULT_EVICTION_HARD, ...hard.value]);
    full.set("evictionHard", { value, origin: hard.origin });
  }
  return full;
}

/** Compat: kubelet 1.36 applyLegacyDefaults */
function withLegacyDefaults(settings: Settings): Settings {
  const origin = { kind: "legacy-default" } as const;
  return new Map([
    ...settings,
    ["authentication.anonymous.enabled", { value: true, origin }],
    ["authentication.webhook.enabled", { value: false, origin }],
    ["authorization.mode", { value: "AlwaysAllow", origin }],
    ["readOnlyPort", { value: 10255, origin }],
  ]);
}

/** Flags over everything; feature gates over those of the files, key by key. */
export function withFlags(settings: Settings, flags: ParsedFlags): Settings {
  const all = new Map([...settings, ...flags.fields]);
  const gates = flags.fields.get("featureGates");
  if (gates !== undefined) {
    const value = new Map([...gatesOf(settings), ...gatesOf(flags.fields)]);
    all.set("featureGates", { ...gates, value });
  }
  // Compat: kubelet 1.36 RunKubelet takes either seccomp switch.
  const seccomp = flags.given.get("seccompDefault");
  if (seccomp?.value === true) all.set("seccompDefault", seccomp);
  return all;
}

export function gatesOf(settings: Settings): SwitchMap {
  const { kind } = KUBELET_SHAPE.featureGates;
  const value = settings.get("featureGates")?.value;
  return kind.holds(value) ? value : new Map();
}
