/**
 * `$(VAR)` in values, command, arguments and sub paths. Compat: kubelet 1.36
 * third_party/forked/golang/expansion, ExpandContainerVolumeMounts.
 */

/**
 * More than any program can be started with: the kernel takes 128 KiB for one
 * string and 6 MiB for all. What grows beyond this is cut, and refused by
 * those who ask.
 */
export const LONGEST_TEXT = 4 * 1024 * 1024;

/** The value of a variable; undefined: the reference stays as written. */
export type Lookup = (name: string) => string | undefined;

/**
 * Replaces `$(NAME)` by its value; `$$` is a literal `$`; a reference to an
 * unknown name, or an unclosed one, stays as it was written.
 */
export function expand(text: string, lookup: Lookup): string {
  let out = "";
  let copied = 0;
  let at = text.indexOf("$");
  let hasClosers = true;
  while (at >= 0 && at + 1 < text.length && out.length <= LONGEST_TEXT) {
    const next = text[at + 1];
    let end = at + 1;
    if (next === "$") {
      out += text.slice(copied, at + 1);
      copied = end = at + 2;
    } else if (next === "(" && hasClosers) {
      const closer = text.indexOf(")", at + 2);
      hasClosers = closer >= 0;
      if (hasClosers) {
        const whole = text.slice(at, closer + 1);
        const value = lookup(text.slice(at + 2, closer)) ?? whole;
        out += text.slice(copied, at) + value;
        copied = end = closer + 1;
      }
    }
    at = text.indexOf("$", end);
  }
  return out + text.slice(copied);
}

export type SubPath =
  | { readonly kind: "ok"; readonly path: string }
  | { readonly kind: "refused"; readonly message: string };

/**
 * `subPathExpr` with the container's own environment, in which every variable
 * that it names must have a value.
 */
export function expandSubPath(
  text: string,
  env: readonly { readonly name: string; readonly value: string }[],
): SubPath {
  const known = new Map(env.map(({ name, value }) => [name, value]));
  const missing = new Set<string>();
  const path = expand(text, (name) => {
    const value = known.get(name) ?? "";
    if (value === "") missing.add(name);
    return value;
  });
  if (missing.size === 0) return { kind: "ok", path };
  const names = [...missing].sort().join(", ");
  return { kind: "refused", message: `missing value for ${names}` };
}
