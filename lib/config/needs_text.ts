/**
 * What is needed, as flags of `deno run`, as a permission set of a deno.json,
 * or as the complaint about what was not granted. Pure.
 */
import { ANYWHERE, type Need, type NeedKind } from "./needs.ts";
import { type PermissionsWish, permissionsWish } from "./permissions_wish.ts";
import { unitText } from "./unit_text.ts";

/** The answer to `denolet permissions`; `argv`: the words of that command. */
export function needsText(
  needs: readonly Need[],
  format: PermissionsWish["format"],
  argv: readonly string[],
): string {
  switch (format) {
    case "flags":
      return permissionFlags(needs);
    case "set":
      return `${JSON.stringify(permissionSet(needs), undefined, 2)}\n`;
    case "unit":
      return unitText(needs, permissionsWish(argv.slice(1)).rest);
  }
}

/** A permission set of deno.json; what is not named is not granted. */
export interface PermissionSet {
  readonly read: readonly string[];
  readonly write: readonly string[];
  readonly net: readonly string[] | {
    readonly allow: true;
    readonly deny: readonly string[];
  };
  readonly ffi: readonly string[];
  readonly env: readonly string[];
  readonly run: readonly string[] | false;
  readonly sys: readonly string[];
  readonly import: false;
}

/** Where clouds keep credentials of the machine; no pod's probe goes there. */
export const METADATA = "169.254.169.254";

export function permissionSet(needs: readonly Need[]): PermissionSet {
  const of = (kind: NeedKind) =>
    needs.filter((need) => need.kind === kind).map(({ value }) => value);
  const isWide = of("net").includes(ANYWHERE);
  return {
    read: outermost(of("read")),
    write: outermost(of("write")),
    net: isWide ? { allow: true, deny: [METADATA] } : of("net"),
    ffi: of("ffi"),
    env: of("env"),
    run: of("run").length === 0 ? false : of("run"),
    sys: of("sys"),
    import: false,
  };
}

/** A folder covers what is below it. */
function outermost(paths: readonly string[]): readonly string[] {
  return paths.filter((path) =>
    !paths.some((other) => other !== path && path.startsWith(`${other}/`))
  );
}

/** One flag a line, for `deno run`. */
export function permissionFlags(needs: readonly Need[]): string {
  const { net, run, ...lists } = permissionSet(needs);
  const list = (kind: NeedKind, values: readonly string[]) =>
    values.length === 0 ? [] : [`--allow-${kind}=${values.join(",")}`];
  const lines = [
    "--no-prompt",
    ...list("read", lists.read),
    ...list("write", lists.write),
    ...("allow" in net
      ? ["--allow-net", `--deny-net=${net.deny.join(",")}`]
      : list("net", net)),
    ...list("ffi", lists.ffi),
    ...list("env", lists.env),
    ...(run === false ? [] : list("run", run)),
    ...list("sys", lists.sys),
  ];
  return `${lines.join("\n")}\n`;
}

/** For a person at a node that does not start. */
export function refusal(missing: readonly Need[]): string {
  const lines = missing.map(({ kind, value, wantedBy }) =>
    `  --allow-${kind}=${value}  wanted by ${wantedBy}`
  );
  return "Cannot start: the configuration needs what this program was not " +
    `granted:\n${lines.join("\n")}\n` +
    "Change the configuration, or build with what `denolet permissions " +
    "--format=set` prints for it (deno task package --permissions FILE)";
}
