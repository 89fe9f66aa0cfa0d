/** Reads `--name N` options, each of which is a count. Pure. */
import { parseArgs } from "node:util";

export type Counts<Name extends string> = Readonly<Record<Name, number>>;

export function countsOf<Name extends string>(
  args: readonly string[],
  defaults: Counts<Name>,
): Counts<Name> {
  const counts: Record<Name, number> = { ...defaults };
  const known: Record<string, { type: "string" }> = {};
  for (const name in defaults) known[name] = { type: "string" };
  const { values } = parseArgs({ args: [...args], options: known });
  for (const name in defaults) {
    const text = values[name];
    if (typeof text !== "string") continue;
    if (!/^[1-9]\d*$/.test(text)) throw new Error(`Cannot count to ${text}`);
    counts[name] = Number(text);
  }
  return counts;
}
