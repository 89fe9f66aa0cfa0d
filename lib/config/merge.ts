/**
 * Drop-in files laid over a configuration, as RFC 7386 says: maps are merged
 * per key, null deletes, everything else replaces. Each value keeps the origin
 * of the document that set it.
 */
import type { MapTree, Tree } from "./tree.ts";

/** `target` with `patch` laid over it. Neither is changed. */
export function mergePatch(target: Tree | undefined, patch: MapTree): MapTree {
  const entries = new Map(target?.kind === "map" ? target.entries : []);
  for (const [key, value] of patch.entries) {
    if (value.kind === "scalar" && value.value === null) entries.delete(key);
    else if (value.kind !== "map") entries.set(key, value);
    else entries.set(key, mergePatch(entries.get(key), value));
  }
  return { kind: "map", entries, origin: patch.origin };
}
