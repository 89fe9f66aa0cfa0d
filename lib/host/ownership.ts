/**
 * Giving a whole volume to a group. The tree may be hostile and is changed
 * by others meanwhile: every entry is opened without following a link, looked
 * at and changed by that descriptor. Works in slices, so that a volume of
 * millions of files holds nobody up.
 * Compat: kubelet 1.36 VolumeOwnership.
 */
import type { GroupAsk } from "../port/host.ts";
import {
  AT_FDCWD,
  cString,
  NOBODY,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  type RawEntry,
  type Statx,
} from "./abi.ts";
import { check, openPath, STRICT, type Trees } from "./beneath.ts";
import { ENAMETOOLONG, ENOENT, failure } from "./errno.ts";
import { fileStat } from "./file_stat.ts";
import type { Libc } from "./libc.ts";

const READ_WRITE = 0o660;
const READ_ONLY = 0o440;
const SEARCH = 0o110;
const SETGID = 0o2000;
/** After so many entries the rest of the agent gets a turn. */
const SLICE = 128;
/** Compat: a longer path cannot be named, so the kubelet fails there too. */
const DEEPEST = 2048;

interface Walk {
  readonly libc: Libc;
  readonly ask: GroupAsk;
  readonly doing: string;
  /** Entries that were changed so far. */
  count: number;
}

/** True for a root that needs no change under `OnRootMismatch`. */
export function isGiven(root: Statx, { gid, isReadOnly }: GroupAsk): boolean {
  const wanted = (isReadOnly ? READ_ONLY : READ_WRITE) | SEARCH | SETGID;
  return fileStat(root).kind === "directory" && root.gid === gid &&
    (root.mode & wanted) === wanted;
}

/** The bits that an entry has after it was given to the group. */
export function givenMode(
  found: Statx,
  { isReadOnly }: Pick<GroupAsk, "isReadOnly">,
): number {
  const base = isReadOnly ? READ_ONLY : READ_WRITE;
  const isDirectory = fileStat(found).kind === "directory";
  return (found.mode & 0o7777) | base | (isDirectory ? SETGID | SEARCH : 0);
}

export async function giveGroup(
  trees: Trees,
  path: string,
  ask: GroupAsk,
): Promise<void> {
  const { libc } = trees;
  const doing = `Cannot give ${path} to group ${ask.gid}`;
  const fd = check(openPath(trees, path, O_PATH), doing);
  try {
    const root = libc.stat(fd);
    if (typeof root === "number") throw failure(doing, -root);
    if (ask.policy === "on-root-mismatch" && isGiven(root, ask)) return;
    const walk: Walk = { libc, ask, doing, count: 0 };
    await visit(walk, fd, 0);
  } finally {
    libc.closeFd(fd);
  }
}

/** What is in a directory first, then the directory itself. */
async function visit(walk: Walk, fd: number, depth: number): Promise<void> {
  const { libc, ask, doing } = walk;
  const found = libc.stat(fd);
  if (typeof found === "number") throw failure(doing, -found);
  const { kind } = fileStat(found);
  if (kind === "directory") await visitEntries(walk, fd, depth);
  // Compat: a failed change of one entry is no failure of the volume.
  libc.chownOpen(fd, NOBODY, ask.gid);
  if (kind !== "symlink") {
    const itself = cString(`/proc/self/fd/${fd}`);
    libc.chmodAt(AT_FDCWD, itself, givenMode(found, ask));
  }
  walk.count++;
  if (walk.count % SLICE !== 0) return;
  ask.signal.throwIfAborted();
  ask.progress(walk.count);
  const { promise, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, 0);
  await promise;
}

async function visitEntries(walk: Walk, fd: number, depth: number) {
  const { libc, doing } = walk;
  if (depth >= DEEPEST) throw failure(doing, ENAMETOOLONG);
  // A descriptor that can be read; `fd` only names the directory.
  const how = { flags: O_RDONLY | O_DIRECTORY, resolve: STRICT };
  const listFd = check(libc.openAt(fd, cString("."), how), doing);
  try {
    for (;;) {
      const some: RawEntry[] = [];
      const more = check(libc.someEntries(listFd, some), doing);
      if (more === 0) return;
      for (const { name } of some) {
        const child = libc.openAt(fd, name, {
          flags: O_PATH | O_NOFOLLOW,
          resolve: STRICT,
        });
        // Removed meanwhile.
        if (child === -ENOENT) continue;
        check(child, doing);
        try {
          await visit(walk, child, depth + 1);
        } finally {
          libc.closeFd(child);
        }
      }
    }
  } finally {
    libc.closeFd(listFd);
  }
}
