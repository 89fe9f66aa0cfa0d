/**
 * Where containers mount other volumes inside of one that they cannot write
 * to: the runtime could not make these directories itself. Pure.
 * Compat: kubelet 1.36 getNestedMountpoints.
 */
import type { V1Container } from "../api/types.ts";

/** Directories below the volume, without those inside of another of them. */
export function nestedDirectories(
  volume: string,
  containers: readonly V1Container[],
): readonly string[] {
  const found = containers.flatMap((container) => {
    const volumeMounts = container.volumeMounts ?? [];
    const all = volumeMounts.map(({ mountPath }) => cleaned(mountPath)).sort();
    return volumeMounts.filter(({ name }) => name === volume)
      .flatMap(({ mountPath }) => inside(cleaned(mountPath), all));
  });
  return [...new Set(found)];
}

function inside(mount: string, all: readonly string[]): string[] {
  const prefix = `${mount}/`;
  const outermost: string[] = [];
  for (const each of all) {
    if (!each.startsWith(prefix)) continue;
    if (outermost.some((outer) => each.startsWith(`${outer}/`))) continue;
    outermost.push(each);
  }
  return outermost.map((each) => each.slice(prefix.length));
}

/** An absolute path without `.`, `..` and empty parts. */
function cleaned(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}
