/**
 * One agent a run directory: a file there is locked for as long as the process
 * lives, and says which process it is. The kernel lets go of it when the process
 * ends, however it does. Taken before anything else of the node is touched.
 */
import { AgentError } from "../base/errors.ts";
import {
  AT_FDCWD,
  cString,
  O_CREAT,
  O_RDWR,
  RESOLVE_NO_SYMLINKS,
} from "./abi.ts";
import { check, makeDirectories } from "./beneath.ts";
import { EAGAIN, failure } from "./errno.ts";
import type { Libc } from "./libc.ts";

/** Also the length of what is in the file: it is written over, never cut. */
const PID_BYTES = 12;

/** Throws `give-up` when another agent has it, or the directory cannot be. */
export function claimRunDirectory(
  libc: Libc,
  { runDir, pid }: { readonly runDir: string; readonly pid: number },
): void {
  const trees = { libc, roots: [runDir], links: "refuse" } as const;
  const made = makeDirectories(trees, runDir, 0o700);
  if (made < 0) throw failure(`Cannot create ${runDir}`, -made);
  const path = `${runDir}/agent.lock`;
  const how = {
    flags: O_RDWR | O_CREAT,
    mode: 0o600,
    resolve: RESOLVE_NO_SYMLINKS,
  };
  const doing = `Cannot open ${path}`;
  const fd = check(libc.openAt(AT_FDCWD, cString(path), how), doing);
  const locked = libc.lock(fd);
  if (locked === -EAGAIN) {
    const other = holderOf(libc, fd);
    libc.closeFd(fd);
    throw new AgentError(
      `Cannot start: another agent runs on ${runDir}${other}; end it first, ` +
        "or give this one a --host-root of its own",
      { next: "give-up" },
    );
  }
  check(locked, `Cannot lock ${path}`);
  const text = `${pid}\n`.padStart(PID_BYTES);
  check(libc.writeNow(fd, cString(text).subarray(0, PID_BYTES)), doing);
}

/** `, as process N`; nothing when it has not said so yet. */
function holderOf(libc: Libc, fd: number): string {
  const bytes = new Uint8Array(PID_BYTES);
  const length = libc.readNow(fd, bytes);
  const text = new TextDecoder().decode(bytes.subarray(0, Math.max(0, length)));
  const pid = /^\s*(\d+)\n$/.exec(text)?.[1];
  return pid === undefined ? "" : `, as process ${pid}`;
}
