/**
 * What this program is: the answer to `denolet version`. Pure; how it was built
 * is left on the global object by the entry that `deploy/build.ts` writes.
 */
import { KUBERNETES_VERSION } from "./render.ts";

export interface About {
  readonly version: string;
  readonly kubernetes: string;
  /** `unknown`: built where there was no repository. */
  readonly commit: string;
  readonly form: "compiled" | "package" | "checkout";
  readonly target: string;
  readonly deno: string;
  readonly v8: string;
  /** The permission set it was built with; `-P` says it for a checkout. */
  readonly permissionSet: string;
  readonly permissionDigest: string;
}

export interface Runtime {
  readonly version: string;
  readonly deno: string;
  readonly v8: string;
  readonly target: string;
  /** `DENOLET_BUILD` of the global object. */
  readonly build: unknown;
}

export function aboutOf({ version, deno, v8, target, build }: Runtime): About {
  const found = new Map<string, unknown>(
    typeof build === "object" && build !== null ? Object.entries(build) : [],
  );
  const text = (name: string, other: string) => {
    const value = found.get(name);
    return typeof value === "string" ? value : other;
  };
  const form = found.get("form");
  return {
    ...{ version, kubernetes: KUBERNETES_VERSION },
    commit: text("commit", "unknown"),
    form: form === "compiled" || form === "package" ? form : "checkout",
    target: text("target", target),
    ...{ deno, v8 },
    permissionSet: text("permissionSet", "as granted"),
    permissionDigest: text("permissionDigest", "none"),
  };
}

export function aboutText(about: About, output: "text" | "json"): string {
  if (output === "json") return `${JSON.stringify(about, undefined, 2)}\n`;
  const rows: readonly [string, string][] = [
    ["denolet", about.version],
    ["Kubernetes", about.kubernetes],
    ["commit", about.commit],
    ["form", `${about.form}, ${about.target}`],
    ["runtime", `Deno ${about.deno}, V8 ${about.v8}`],
    ["permissions", `${about.permissionSet} (${about.permissionDigest})`],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`)
    .join("");
}
