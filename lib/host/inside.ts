/**
 * Opening what a pod names inside of a volume. Links may lead around inside,
 * also by absolute names, but whatever comes back is inside at the moment it
 * is opened: the kernel walks the last way without leaving the volume, so a
 * link that is swapped in meanwhile is not followed out of it.
 * Compat: kubelet 1.36 doBindSubPath, safeOpenSubPath.
 */
import {
  AT_FDCWD,
  cString,
  O_PATH,
  RESOLVE_BENEATH,
  RESOLVE_NO_MAGICLINKS,
} from "./abi.ts";
import { STRICT } from "./beneath.ts";
import { EAGAIN, EXDEV } from "./errno.ts";
import type { Libc } from "./libc.ts";

/** The kernel asks for another try when names change below a `..`. */
const MOST_TRIES = 64;

/** The root of a volume; links on the way to it are followed. */
export function openVolume(libc: Libc, path: string): number {
  const how = { flags: O_PATH, resolve: RESOLVE_NO_MAGICLINKS };
  return libc.openAt(AT_FDCWD, cString(path), how);
}

/**
 * An `O_PATH` descriptor, so that neither a pipe nor a device is waited for;
 * a negated errno on failure, `EXDEV` when the way leads out.
 */
export function openInside(libc: Libc, rootFd: number, path: string): number {
  const how = {
    flags: O_PATH,
    resolve: RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
  };
  // Links may go up, within the volume; a pod's own words may not.
  if (path.startsWith("/") || path.split("/").includes("..")) return -EXDEV;
  const name = cString(path);
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const fd = libc.openAt(rootFd, name, how);
    if (fd === -EXDEV) return openAround(libc, rootFd, path);
    if (fd !== -EAGAIN) return fd;
  }
  return -EAGAIN;
}

/** By a link that is absolute, or that leaves the volume and comes back. */
function openAround(libc: Libc, rootFd: number, path: string): number {
  const root = nameOf(libc, rootFd);
  if (typeof root === "number") return root;
  const top = root === "/" ? "" : root;
  const name = found(libc, `${top}/${path}`);
  if (typeof name === "number") return name;
  if (name !== root && !name.startsWith(`${top}/`)) return -EXDEV;
  const rest = cString(name.slice(top.length + 1) || ".");
  return libc.openAt(rootFd, rest, { flags: O_PATH, resolve: STRICT });
}

/** Where a path leads when every link is followed. */
function found(libc: Libc, path: string): string | number {
  const fd = openVolume(libc, path);
  if (fd < 0) return fd;
  const name = nameOf(libc, fd);
  libc.closeFd(fd);
  return name;
}

function nameOf(libc: Libc, fd: number): string | number {
  return libc.readLinkAt(AT_FDCWD, cString(`/proc/self/fd/${fd}`));
}
