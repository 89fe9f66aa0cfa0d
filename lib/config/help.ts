/**
 * The text of `--help`, made from the same tables the flags are read with.
 */
import { AGENT_GROUPS } from "./agent_flags.ts";
import { type Field, fieldsOf, type Shape } from "./field.ts";
import { bool } from "./kind.ts";
import { NODE_FIELDS } from "./schema_node.ts";
import { POD_FIELDS } from "./schema_pods.ts";
import { RESOURCE_FIELDS } from "./schema_resources.ts";
import { SERVER_FIELDS } from "./schema_server.ts";

const USAGE = `denolet: the node agent of Kubernetes, in place of the kubelet

Usage:
  denolet [flags]                    run the agent
  denolet check-config [flags]       print the effective configuration and
                                     where each value comes from
  denolet permissions [flags] [--format=flags|set|unit] [--pod-cidr=RANGE]
                      [--image-dir=PATH] [--filesystems=ext4,xfs]
                                     print what that configuration needs; file
                                     systems are those of local block devices
  denolet version [--output=json]    what this program is, in full
  denolet pods [-n NAMESPACE] [-o json|table]
  denolet logs POD [-n NAMESPACE] [-c CONTAINER] [-f] [--tail N] [--previous]
  denolet explain [POD] [-n NAMESPACE]   without POD: the node
  POD is NAME or NAMESPACE/NAME; each of these takes --host-root too

  -h, --help             this text
      --version[=raw]    the version
`;

const FIELD_GROUPS: readonly { title: string; shape: Shape }[] = [
  { title: "Pods, images, logs, volumes", shape: POD_FIELDS },
  { title: "Server, certificates, API server, logging", shape: SERVER_FIELDS },
  { title: "Node, network, eviction", shape: NODE_FIELDS },
  {
    title: "Cgroups, processors, memory, reservations",
    shape: RESOURCE_FIELDS,
  },
];

/** Every flag with a line of help, its default and its configuration field. */
export function helpText(): string {
  const own = AGENT_GROUPS.map(({ title, shape }) =>
    section(title, shape, "flag")
  );
  const twins = FIELD_GROUPS.map(({ title, shape }) =>
    section(`${title} (better set in the --config file)`, shape, "field")
  );
  return [USAGE, ...own, ...twins].join("\n");
}

function section(title: string, shape: Shape, names: "flag" | "field"): string {
  const lines = [...fieldsOf(shape)].flatMap(([path, field]) => {
    if (field.flag === undefined) return [];
    const letter = field.letter === undefined ? "   " : `-${field.letter},`;
    const value = field.kind === bool ? "" : "=…";
    const twin = names === "flag" ? "" : ` [${path}]`;
    return [
      `  ${letter} --${field.flag}${value}`,
      `          ${field.help}${defaultText(field)}${twin}`,
    ];
  });
  return `${title}:\n${lines.join("\n")}\n`;
}

function defaultText({ kind, initial }: Field<unknown>): string {
  const value = initial === undefined ? null : kind.toJson(initial);
  const shown = typeof value === "string" ? value : JSON.stringify(value);
  return ["", "null", "[]", "{}", "false"].includes(shown)
    ? ""
    : ` (default ${shown})`;
}
