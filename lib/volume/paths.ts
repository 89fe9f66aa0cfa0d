/**
 * Paths of projected files, as pods write them. Pure. Nothing that passes here
 * leads out of its volume or hides among the names that the writer needs.
 * Compat: kubelet 1.36 validatePath of the atomic writer, with its words.
 */

const LONGEST_NAME_BYTES = 255;
const LONGEST_PATH_BYTES = 4096;
/** No character is more bytes than three for each of its units. */
const MOST_BYTES = 3;

export type PathResult =
  | { readonly kind: "ok"; readonly path: string }
  | { readonly kind: "refused"; readonly message: string };

export function projectedPath(path: string): PathResult {
  const fault = faultOf(path);
  return fault === undefined
    ? { kind: "ok", path: cleaned(path) }
    : { kind: "refused", message: `invalid path: ${fault}` };
}

function faultOf(path: string): string | undefined {
  if (path === "") return 'must not be empty: ""';
  if (path.startsWith("/")) return `must be relative path: ${path}`;
  if (isLonger(path, LONGEST_PATH_BYTES)) {
    return `must be less than or equal to ${LONGEST_PATH_BYTES} characters`;
  }
  const parts = path.split("/");
  if (parts.includes("..")) return `must not contain '..': ${path}`;
  if (parts.some((each) => isLonger(each, LONGEST_NAME_BYTES))) {
    return "filenames must be less than or equal to " +
      `${LONGEST_NAME_BYTES} characters`;
  }
  const clean = cleaned(path);
  if (clean.startsWith("..")) return `must not start with '..': ${path}`;
  if (clean === "") return `must name a file: ${path}`;
  return path.includes("\0") ? "must not contain NUL" : undefined;
}

/** In bytes. Volumes have thousands of names, and nearly all are short. */
function isLonger(text: string, bytes: number): boolean {
  return text.length * MOST_BYTES > bytes &&
    new TextEncoder().encode(text).length > bytes;
}

function cleaned(path: string): string {
  return path.split("/").filter((part) => part !== "" && part !== ".")
    .join("/");
}

/**
 * A path that is a file here and a directory there, if any. What is below a
 * path follows right after it when `/` sorts before all else.
 */
export function clashIn(paths: ReadonlySet<string>): string | undefined {
  if (!paths.values().some((path) => path.includes("/"))) return undefined;
  const sorted = [...paths].map((path) => path.replaceAll("/", "\0")).sort();
  const clash = sorted.find((path, index) =>
    sorted[index + 1]?.startsWith(`${path}\0`) === true
  );
  return clash?.replaceAll("\0", "/");
}
