/** What the kernel tells of a file, in our terms. Pure. */
import type { FileStat, HostPathKind } from "../port/host.ts";
import type { Statx } from "./abi.ts";

const TYPE_BITS = 0o170000;
const KINDS: ReadonlyMap<number, FileStat["kind"]> = new Map([
  [0o100000, "file"],
  [0o040000, "directory"],
  [0o120000, "symlink"],
]);
const HOST_PATH_KINDS: ReadonlyMap<number, HostPathKind> = new Map([
  [0o100000, "file"],
  [0o040000, "directory"],
  [0o140000, "socket"],
  [0o020000, "char-device"],
  [0o060000, "block-device"],
]);
/** `DT_…` of a directory entry is the type bits shifted right. */
const DT_SHIFT = 12;

export function kindFrom(type: number): FileStat["kind"] {
  return KINDS.get(type << DT_SHIFT) ?? "other";
}

export function hostPathKind({ mode }: Statx): HostPathKind {
  return HOST_PATH_KINDS.get(mode & TYPE_BITS) ?? "other";
}

export function fileStat(found: Statx): FileStat {
  const { sizeBytes, modifiedAtMs, uid, gid, version } = found;
  return {
    kind: KINDS.get(found.mode & TYPE_BITS) ?? "other",
    sizeBytes,
    modifiedAtMs,
    mode: found.mode & 0o7777,
    uid,
    gid,
    version,
  };
}
