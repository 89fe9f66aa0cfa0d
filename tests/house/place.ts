/**
 * Where a file stands in the house: every rule asks this first. Paths are
 * relative to the repository's root, with forward slashes.
 */

export interface Place {
  /** `lib/pod/decide.ts` */
  readonly path: string;
  /** The folder inside lib, or undefined outside of lib and for lib/agent.ts. */
  readonly folder: string | undefined;
  /** `decide.ts` */
  readonly name: string;
  readonly isTest: boolean;
  /** Part of the program: lib, main.ts and mod.ts without their tests. */
  readonly isProgram: boolean;
  /** Part of lib without its tests. */
  readonly isLib: boolean;
}

const ROOT = new URL("../../", import.meta.url).pathname;

/** Places a file name as the linter gives it: absolute, or from the root. */
export function placeOf(filename: string): Place {
  const plain = filename.startsWith("file://")
    ? new URL(filename).pathname
    : filename;
  const path = (plain.startsWith(ROOT) ? plain.slice(ROOT.length) : plain)
    .replace(/^\.\//, "");
  const parts = path.split("/");
  const name = parts.at(-1) ?? path;
  const isTest = path.startsWith("tests/") || name.endsWith("_test.ts");
  const isLib = parts[0] === "lib" && !isTest;
  return {
    path,
    folder: parts[0] === "lib" && parts.length > 2 ? parts[1] : undefined,
    name,
    isTest,
    isProgram: isLib || (!isTest && (path === "main.ts" || path === "mod.ts")),
    isLib,
  };
}

/** The path an import leads to, or undefined for a package. */
export function resolveImport(
  from: string,
  specifier: string,
): string | undefined {
  if (!/^\.{0,2}\//.test(specifier)) return undefined;
  const url = new URL(specifier, `file:///${from}`);
  return decodeURIComponent(url.pathname).slice(1);
}

/** The package a specifier names: `npm:@a/b@1/c` and `@a/b/c` are `@a/b`. */
export function packageOf(specifier: string): string {
  const bare = specifier.replace(/^(npm|jsr):\/?/, "");
  const found = /^(@[^/]+\/[^/@]+|[^/@]+)/.exec(bare);
  return found?.[1] ?? bare;
}
