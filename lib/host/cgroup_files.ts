/**
 * The files of one cgroup, read at once: the kernel makes them from memory.
 */
import type { CgroupFault } from "../port/cgroups.ts";
import {
  AT_FDCWD,
  cString,
  O_DIRECTORY,
  O_RDONLY,
  RESOLVE_NO_MAGICLINKS,
} from "./abi.ts";
import { STRICT } from "./beneath.ts";
import { EACCES, EBUSY, EPERM, EROFS, failure } from "./errno.ts";
import type { Libc } from "./libc.ts";

const LONGEST_TEXT = 4096;

export function openRoot(libc: Libc, path: string): number {
  return libc.openAt(AT_FDCWD, cString(path), {
    flags: O_RDONLY | O_DIRECTORY,
    resolve: RESOLVE_NO_MAGICLINKS,
  });
}

/** A file of the kernel's, whole; a negated errno on failure. */
export function readSmall(
  libc: Libc,
  fd: number,
  name: string,
): string | number {
  const file = libc.openAt(fd, cString(name), {
    flags: O_RDONLY,
    resolve: STRICT,
  });
  if (file < 0) return file;
  const bytes = new Uint8Array(LONGEST_TEXT);
  const length = libc.readNow(file, bytes);
  libc.closeFd(file);
  if (length < 0) return length;
  return new TextDecoder().decode(bytes.subarray(0, length));
}

export function faultOf(what: string, errno: number): CgroupFault {
  const { message } = failure(what, errno);
  if (errno === EBUSY) return { kind: "in-use", message };
  return { kind: isForbidden(errno) ? "forbidden" : "missing", message };
}

export function isForbidden(errno: number): boolean {
  return errno === EROFS || errno === EACCES || errno === EPERM;
}
