/** JSON with whole numbers of any size, which `JSON.stringify` refuses. Pure. */

export type Json =
  | string
  | number
  | bigint
  | boolean
  | undefined
  | readonly Json[]
  | { readonly [key: string]: Json };

/** Members that are undefined are left out. */
export function jsonText(value: Json): string {
  if (typeof value === "bigint") return `${value}`;
  if (isList(value)) return `[${value.map(jsonText).join(",")}]`;
  if (typeof value !== "object") return JSON.stringify(value);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .map(([key, member]) => `${JSON.stringify(key)}:${jsonText(member)}`);
  return `{${members.join(",")}}`;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
