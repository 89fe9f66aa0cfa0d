/**
 * Opening paths below directories that are ours. The way down from such a
 * root is walked by `openat2`, so that neither `..` nor a symbolic link that
 * a pod placed leads out of it, whatever changes underneath meanwhile.
 */
import { AgentError } from "../base/errors.ts";
import {
  AT_FDCWD,
  type Bytes,
  cString,
  O_DIRECTORY,
  O_PATH,
  RESOLVE_BENEATH,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
} from "./abi.ts";
import { EEXIST, failure } from "./errno.ts";
import type { Libc } from "./libc.ts";

/** No link is followed and nothing outside the tree is reached. */
export const STRICT = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
  RESOLVE_NO_MAGICLINKS;

export interface Trees {
  readonly libc: Libc;
  /** Absolute directories; a root itself may be reached through links. */
  readonly roots: readonly string[];
  /**
   * `follow` is for folders that only the admin writes, as the kubelet treats
   * its manifest folder; it still refuses the magic links of /proc.
   */
  readonly links: "refuse" | "follow";
}

/** An open directory and the name of an entry in it. */
export interface Place {
  readonly fd: number;
  readonly name: Bytes;
}

/** Opens a path; a negated errno on failure. The caller closes. */
export function openPath(trees: Trees, path: string, flags: number): number {
  const { root, rest } = split(trees, path);
  if (trees.links === "follow") {
    const resolve = RESOLVE_NO_MAGICLINKS;
    return trees.libc.openAt(AT_FDCWD, cString(path), { flags, resolve });
  }
  const rootFd = openRoot(trees.libc, root);
  if (rootFd < 0) return rootFd;
  const name = cString(rest === "" ? "." : rest);
  const fd = trees.libc.openAt(rootFd, name, { flags, resolve: STRICT });
  trees.libc.closeFd(rootFd);
  return fd;
}

/**
 * Runs `work` on the directory a path is in. Passes on what `work` returns,
 * or the negated errno when the directory cannot be opened.
 */
export async function inParent<T>(
  trees: Trees,
  path: string,
  work: (place: Place) => T | Promise<T>,
): Promise<T | number> {
  const clean = normalize(path);
  const cut = clean.lastIndexOf("/");
  const parent = clean.slice(0, cut) || "/";
  const fd = openPath(trees, parent, O_PATH | O_DIRECTORY);
  if (fd < 0) return fd;
  try {
    return await work({ fd, name: cString(clean.slice(cut + 1)) });
  } finally {
    trees.libc.closeFd(fd);
  }
}

/** Creates a directory, its parents and the root; zero or a negated errno. */
export function makeDirectories(
  trees: Trees,
  path: string,
  mode: number,
): number {
  const { libc } = trees;
  const { root, rest } = split(trees, path);
  let above = "";
  for (const part of root.split("/").slice(1)) {
    above += `/${part}`;
    const made = libc.makeDirectoryAt(AT_FDCWD, cString(above), mode);
    if (made === 0) libc.chmodAt(AT_FDCWD, cString(above), mode);
  }
  let fd = openRoot(libc, root);
  for (const part of rest === "" ? [] : rest.split("/")) {
    if (fd < 0) return fd;
    const next = makeOne(libc, { fd, name: cString(part) }, mode);
    libc.closeFd(fd);
    fd = next;
  }
  if (fd < 0) return fd;
  libc.closeFd(fd);
  return 0;
}

function makeOne(libc: Libc, place: Place, mode: number): number {
  const made = libc.makeDirectoryAt(place.fd, place.name, mode);
  if (made < 0 && made !== -EEXIST) return made;
  // Not O_PATH: fchmod, which undoes the umask, wants a real descriptor.
  const how = { flags: O_DIRECTORY, resolve: STRICT };
  const fd = libc.openAt(place.fd, place.name, how);
  if (fd >= 0 && made === 0) libc.chmodFd(fd, mode);
  return fd;
}

function openRoot(libc: Libc, root: string): number {
  return libc.openAt(AT_FDCWD, cString(root), {
    flags: O_PATH | O_DIRECTORY,
    resolve: RESOLVE_NO_MAGICLINKS,
  });
}

function split(trees: Trees, path: string): { root: string; rest: string } {
  const clean = normalize(path);
  let best: string | undefined;
  for (const each of trees.roots) {
    const root = normalize(each);
    const isBelow = clean === root || clean.startsWith(`${root}/`) ||
      root === "/";
    if (isBelow && root.length >= (best?.length ?? 0)) best = root;
  }
  if (best === undefined) {
    throw new AgentError(
      `Cannot use ${path}: not below ${trees.roots.join(" or ")}`,
      { next: "give-up" },
    );
  }
  return { root: best, rest: clean.slice(best.length).replace(/^\//, "") };
}

/** A path without empty or `.` parts; refuses relative ones and `..`. */
export function normalize(path: string): string {
  const parts = path.split("/");
  if (parts[0] !== "" || parts.includes("..")) {
    throw new AgentError(`Cannot use ${path}: not a plain absolute path`, {
      next: "give-up",
    });
  }
  return `/${parts.filter((part) => part !== "" && part !== ".").join("/")}`;
}

/** Throws for a negated errno. */
export function check(result: number, doing: string): number {
  if (result < 0) throw failure(doing, -result);
  return result;
}
