/**
 * What `check-config` and `--version` print. Pure text; printing is main.ts's.
 */
import { AGENT_FIELDS, IGNORED_FLAGS } from "./agent_flags.ts";
import type { LoadResult } from "./load.ts";
import { KUBELET_FIELDS } from "./schema.ts";
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
