/**
 * Watching one directory, not what lies below it. By inotify itself:
 * `Deno.watchFs` opens what appears in the directory, and a pipe there stops
 * it for good. Bursts are folded: whoever is busy with one wake finds the
 * next waiting, however many changes it was.
 */
import {
  type Bytes,
  cString,
  IN_ATTRIB,
  IN_CLOSE_WRITE,
  IN_CREATE,
  IN_DELETE,
  IN_DELETE_SELF,
  IN_IGNORED,
  IN_MOVE_SELF,
  IN_MOVED_FROM,
  IN_MOVED_TO,
  IN_ONLYDIR,
  inotifyMask,
} from "./abi.ts";
import { AgentError } from "../base/errors.ts";
import { check } from "./beneath.ts";
import { failure, isAbsent } from "./errno.ts";
import type { Libc } from "./libc.ts";

/** A file counts as changed when its writer closes it, not before. */
const CHANGES = IN_ATTRIB | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE |
  IN_MOVED_FROM | IN_MOVED_TO;
const END = IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED;
const BUFFER_BYTES = 64 * 1024;
/** An editor's write, chmod and rename come within this of each other. */
const SETTLE_MS = 2;

/** See `Files.watch`. */
export async function* watchDirectory(
  libc: Libc,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<void> {
  if (signal.aborted) return;
  const doing = `Cannot watch ${path}`;
  const fd = check(libc.waits.inotifyOpen(), doing);
  const mask = CHANGES | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
  const watch = libc.waits.inotifyAdd(fd, cString(path), mask);
  if (watch < 0) {
    libc.closeFd(fd);
    throw unwatchable(doing, -watch);
  }
  // Its last event is what ends the waiting read.
  const stop = () => libc.waits.inotifyRemove(fd, watch);
  signal.addEventListener("abort", stop, { once: true });
  let next = nextMask(libc, fd);
  try {
    yield;
    for (;;) {
      const mask = await next;
      if (signal.aborted) return;
      if ((mask & END) !== 0) throw gone(doing);
      await settle();
      // Everything up to here is one burst; what comes later is the next.
      next = nextMask(libc, fd);
      yield;
    }
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
    await drained(next);
    libc.closeFd(fd);
  }
}

/** Waits for events; the masks of all that are there, in one. */
async function nextMask(libc: Libc, fd: number): Promise<number> {
  const bytes: Bytes = new Uint8Array(BUFFER_BYTES);
  for (;;) {
    const length = await libc.readWaiting(fd, bytes);
    if (length > 0) return inotifyMask(bytes.subarray(0, length));
  }
}

/** The read under way must be over before its descriptor is closed. */
async function drained(next: Promise<number>): Promise<void> {
  await Promise.allSettled([next]);
}

/** Nothing there yet, or no folder, may become one: worth another try. */
function unwatchable(doing: string, errno: number): AgentError {
  const cause = failure(doing, errno);
  return isAbsent(errno)
    ? new AgentError(`${doing}: it is not there`, { next: "retry", cause })
    : cause;
}

function gone(doing: string): AgentError {
  return new AgentError(`${doing}: it was removed or moved`, {
    next: "retry",
  });
}

function settle(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, SETTLE_MS);
  return promise;
}
