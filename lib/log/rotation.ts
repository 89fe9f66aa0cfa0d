/**
 * What is done with the files of one log when it is rotated. Pure; run.ts
 * carries it out. Only regular files count: whatever else lies there is left
 * alone. Compat: kubelet 1.36 container_log_manager.go.
 */
import type { DirectoryEntry } from "../port/host.ts";

export const PACKED = ".gz";
export const UNFINISHED = ".tmp";
/** The log itself, and what it is rotated to now. */
const LATEST_FILES = 2;

export interface Rotation {
  /** Names, in the order in which they go. */
  readonly remove: readonly string[];
  /** Names that get another with `.gz`. */
  readonly pack: readonly string[];
  /** The name that the log gets now. */
  readonly rotated: string;
}

export function planRotation(
  name: string,
  entries: readonly DirectoryEntry[],
  options: { readonly mostFiles: number; readonly nowMs: number },
): Rotation {
  const found = new Set(
    entries.filter(({ kind }) => kind === "file").map((entry) => entry.name)
      .filter((each) => each.startsWith(`${name}.`)),
  );
  const isUnused = (each: string) =>
    each.endsWith(UNFINISHED) ||
    (!each.endsWith(PACKED) && found.has(each + PACKED));
  // Their names tell their age.
  const used = [...found].filter((each) => !isUnused(each)).sort();
  const kept = Math.max(0, options.mostFiles - LATEST_FILES);
  const excess = used.slice(0, Math.max(0, used.length - kept));
  return {
    remove: [...[...found].filter(isUnused), ...excess],
    pack: used.slice(excess.length).filter((each) => !each.endsWith(PACKED)),
    rotated: `${name}.${stamp(options.nowMs)}`,
  };
}

/**
 * `20260731-100233`. UTC, so that names never run backwards; the kubelet takes
 * the node's time zone.
 */
function stamp(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 19)
    .replaceAll(/[-:]/g, "").replace("T", "-");
}
