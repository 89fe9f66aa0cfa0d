/**
 * From a name on the command line to what it sets. Built once from the tables;
 * `_` and `-` mean the same.
 */
import { AGENT_FIELDS } from "./agent_flags.ts";
import type { Field } from "./field.ts";
import { bool } from "./kind.ts";
import { KUBELET_FIELDS } from "./schema.ts";

export interface FlagTarget {
  /** Whether the flag sets a configuration field or is the agent's alone. */
  readonly table: "kubelet" | "agent";
  readonly path: string;
  readonly flag: string;
  readonly field: Field<unknown>;
}

/** Every live flag by name, `help` and `version` apart. */
export const FLAG_TARGETS: ReadonlyMap<string, FlagTarget> = new Map(
  [
    ...targets("agent", AGENT_FIELDS),
    ...targets("kubelet", KUBELET_FIELDS),
  ].map((target) => [target.flag, target]),
);

function targets(
  table: FlagTarget["table"],
  fields: ReadonlyMap<string, Field<unknown>>,
): FlagTarget[] {
  return [...fields].flatMap(([path, field]) =>
    field.flag === undefined ? [] : [{ table, path, flag: field.flag, field }]
  );
}

/** The name as the tables spell it. Compat: WordSepNormalizeFunc */
export function normalizeFlag(name: string): string {
  return name.replaceAll("_", "-");
}

/** True when the flag may stand alone and never takes the next word. */
export function isSwitch(target: FlagTarget): boolean {
  return target.field.kind === bool;
}
