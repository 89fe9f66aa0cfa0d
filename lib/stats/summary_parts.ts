/** Parts that several figures of a summary share. Pure. */
import { without } from "../base/saturate.ts";
import type { FilesystemCounts } from "../port/usage.ts";

export function filesystem(
  { capacityBytes, availableBytes, usedBytes, inodes, inodesFree }:
    FilesystemCounts,
  atMs: number,
) {
  return {
    time: time(atMs),
    availableBytes,
    capacityBytes,
    usedBytes,
    inodesFree,
    inodes,
    inodesUsed: without(inodes, inodesFree),
  };
}
export function time(atMs: number): string {
  return new Date(atMs).toISOString().replace(/\.\d+Z$/, "Z");
}
