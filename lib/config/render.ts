/**
 * What `check-config` and `--version` print. Pure text; printing is main.ts's.
 */
import { AGENT_FIELDS, IGNORED_FLAGS } from "./agent_flags.ts";
import type { Config, LoadResult } from "./load.ts";
import { isField, type Shape } from "./field.ts";
import {
  KUBELET_FIELDS,
  KUBELET_SHAPE,
  type KubeletConfiguration,
} from "./schema.ts";
import { describeOrigin, type Json, type Origin } from "./tree.ts";

/** The Kubernetes version whose kubelet this agent stands in for. */
export const KUBERNETES_VERSION = "v1.36.3";

/** The answer to `--version`; tools expect one line `Kubernetes vX.Y.Z…`. */
export function versionText(
  agentVersion: string,
  form: "line" | "raw" = "line",
): string {
  const version = `${KUBERNETES_VERSION}+denolet.${agentVersion}`;
  return form === "raw"
    ? JSON.stringify({ major: "1", minor: "36", gitVersion: version })
    : `Kubernetes ${version}`;
}

type Row = readonly [name: string, value: string, origin: string];

/**
 * The effective configuration, one `field: value  # provenance` per line, in
 * columns; then the warnings as comments. Secret values are masked.
 */
export function renderCheckConfig(
  loaded: Extract<LoadResult, { kind: "ok" }>,
): string {
  const { config, given, settings, warnings } = loaded;
  const fields = [...KUBELET_FIELDS.keys()].sort().map((path): Row => {
    const field = KUBELET_FIELDS.get(path);
    const own = settings.get(path);
    const value = own?.value === undefined || field === undefined
      ? "(unset)"
      : field.isSecret && !isEmpty(own.value)
      ? "<masked>"
      : printValue(field.kind.toJson(own.value));
    return [path, value, originText(own?.origin)];
  });
  const flags = [...AGENT_FIELDS].flatMap(([path, field]): Row[] =>
    IGNORED_FLAGS.has(path) ? [] : [[
      `--${field.flag}`,
      printValue(field.kind.toJson(new Map<string, unknown>(
        Object.entries(config.flags),
      ).get(path))),
      originText(given.get(path)?.origin),
    ]]
  );
  const { containerLogsDir, runDir } = config.paths;
  const facts: Row[] = [
    [
      "node name",
      config.nodeName,
      originText(given.get("hostnameOverride")?.origin, "host"),
    ],
    ["container logs", containerLogsDir, "default"],
    ["run directory", runDir, "default"],
  ];
  return [
    "# Node",
    ...columns(facts),
    "# Flags without a field",
    ...columns(flags),
    "# KubeletConfiguration kubelet.config.k8s.io/v1beta1",
    ...columns(fields),
    ...warnings.map((warning) => `# Warning: ${warning}`),
    "",
  ].join("\n");
}

/**
 * The answer to `/configz`: every field that has a value, secrets masked.
 * Compat: kubelet 1.36 initConfigz
 */
export function renderConfigz(kubelet: KubeletConfiguration): string {
  const kubeletconfig = jsonOfShape(KUBELET_SHAPE, kubelet);
  return JSON.stringify({
    kubeletconfig: {
      ...kubeletconfig,
      kind: "KubeletConfiguration",
      apiVersion: "kubelet.config.k8s.io/v1beta1",
    },
  });
}

/** What every flag is set to, by flag or otherwise; for `/flagz`. */
export function flagValues(
  { flags, kubelet }: Pick<Config, "flags" | "kubelet">,
): ReadonlyMap<string, string> {
  const own = new Map<string, unknown>(Object.entries(flags));
  const values = [
    ...[...AGENT_FIELDS].flatMap(([path, field]): [string, string][] =>
      IGNORED_FLAGS.has(path) || field.flag === undefined
        ? []
        : [[field.flag, printValue(field.kind.toJson(own.get(path)))]]
    ),
    ...[...KUBELET_FIELDS].flatMap(([path, field]): [string, string][] => {
      const value = memberOf(kubelet, path.split("."));
      const { flag, isSecret, kind } = field;
      if (flag === undefined || value === undefined) return [];
      const isHidden = isSecret && !isEmpty(value);
      return [[flag, isHidden ? "<masked>" : printValue(kind.toJson(value))]];
    }),
  ];
  return new Map(values.toSorted(([a], [b]) => a < b ? -1 : 1));
}

function memberOf(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (found, key) =>
      typeof found === "object" && found !== null
        ? new Map<string, unknown>(Object.entries(found)).get(key)
        : undefined,
    value,
  );
}

function jsonOfShape(shape: Shape, value: unknown): Record<string, unknown> {
  const own = new Map(
    Object.entries(typeof value === "object" && value !== null ? value : {}),
  );
  return Object.fromEntries(
    Object.entries(shape).flatMap(([key, part]): [string, unknown][] => {
      const found: unknown = own.get(key);
      if (!isField(part)) return [[key, jsonOfShape(part, found)]];
      if (found === undefined) return [];
      const isHidden = part.isSecret && !isEmpty(found);
      return [[key, isHidden ? "<masked>" : part.kind.toJson(found)]];
    }),
  );
}

function originText(origin: Origin | undefined, otherwise = "default"): string {
  return origin === undefined ? otherwise : describeOrigin(origin);
}

function isEmpty(value: unknown): boolean {
  return value === "" || value instanceof Map && value.size === 0;
}

function printValue(value: Json): string {
  const isPlain = typeof value === "string" && /^[\w./:@-]+$/.test(value);
  return isPlain ? value : JSON.stringify(value);
}

function columns(rows: readonly Row[]): string[] {
  const widest = (column: 0 | 1, limit: number) =>
    Math.max(...rows.map((row) => Math.min(row[column].length, limit)));
  const name = widest(0, 60) + 1;
  const value = widest(1, 48);
  return rows.map((row) =>
    `${`${row[0]}:`.padEnd(name)}  ${row[1].padEnd(value)}  # ${row[2]}`
  );
}
