/**
 * The errno values the host adapter tells apart, and what each means for the
 * caller. Numbers are the same on x86_64 and aarch64.
 */
import { AgentError, type Next } from "../base/errors.ts";

export const EPERM = 1;
export const ENOENT = 2;
export const ESRCH = 3;
export const EINTR = 4;
export const EIO = 5;
export const EAGAIN = 11;
export const EACCES = 13;
export const EBUSY = 16;
export const EEXIST = 17;
export const EXDEV = 18;
export const ENODEV = 19;
export const ENOTDIR = 20;
export const EISDIR = 21;
export const EINVAL = 22;
export const EROFS = 30;
export const ENAMETOOLONG = 36;
export const ENOSYS = 38;
export const ENOTEMPTY = 39;
export const ELOOP = 40;

interface Meaning {
  readonly text: string;
  readonly next: Next;
}

const MEANINGS: ReadonlyMap<number, Meaning> = new Map([
  [EPERM, { text: "operation not permitted", next: "give-up" }],
  [ENOENT, { text: "no such file or directory", next: "already-so" }],
  [EIO, { text: "input/output error", next: "retry" }],
  [EACCES, { text: "permission denied", next: "give-up" }],
  [EBUSY, { text: "in use, perhaps a mount", next: "retry" }],
  [EEXIST, { text: "exists already", next: "already-so" }],
  [EXDEV, { text: "a mount or a way out of the tree", next: "retry" }],
  [ENOTDIR, { text: "not a directory", next: "give-up" }],
  [EISDIR, { text: "is a directory", next: "give-up" }],
  [EINVAL, { text: "invalid argument", next: "give-up" }],
  [28, { text: "no space left (or inotify watches)", next: "retry" }],
  [EROFS, { text: "read-only file system", next: "give-up" }],
  [ENAMETOOLONG, { text: "name too long", next: "give-up" }],
  [ENOSYS, { text: "not known to this kernel", next: "give-up" }],
  [ENOTEMPTY, { text: "directory not empty", next: "retry" }],
  [ELOOP, { text: "a symbolic link is in the way", next: "give-up" }],
  [111, { text: "nobody listens", next: "retry" }],
]);

/** The error for a failed call; `doing` is "Cannot <verb> <object>". */
export function failure(doing: string, errno: number): AgentError {
  const meaning = MEANINGS.get(errno);
  return new AgentError(
    `${doing}: ${meaning?.text ?? "system error"} (errno ${errno})`,
    { next: meaning?.next ?? "retry" },
  );
}

/**
 * True when the errno says that nothing is at the path. Nothing can be at one
 * that is too long; to make it is another matter, and says so.
 */
export function isAbsent(errno: number): boolean {
  return errno === ENOENT || errno === ENOTDIR || errno === ENAMETOOLONG;
}
