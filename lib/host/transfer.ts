/** Whole files through a descriptor, without blocking the event loop. */
import { AgentError } from "../base/errors.ts";
import type { Access, FileStat } from "../port/host.ts";
import { NOBODY } from "./abi.ts";
import { check } from "./beneath.ts";
import type { Libc } from "./libc.ts";

const CHUNK_BYTES = 64 * 1024;

/** Rejects (`give-up`) when there is more than `limitBytes`. */
export async function readAll(
  libc: Libc,
  fd: number,
  file: { path: string; limitBytes: number; now: FileStat },
): Promise<Uint8Array> {
  // One byte more than announced, to see the end without another round; the
  // files of /proc announce nothing.
  let bytes = new Uint8Array(Math.max(file.now.sizeBytes + 1, CHUNK_BYTES));
  let length = 0;
  for (;;) {
    const read = await libc.read(fd, bytes.subarray(length));
    length += check(read, `Cannot read ${file.path}`);
    if (length > file.limitBytes) throw tooLong(file.path, file.limitBytes);
    if (read === 0) return bytes.subarray(0, length);
    if (length < bytes.length) continue;
    const grown = new Uint8Array(bytes.length * 2);
    grown.set(bytes);
    bytes = grown;
  }
}

export async function writeAll(
  libc: Libc,
  fd: number,
  what: { readonly bytes: Uint8Array; readonly doing: string },
): Promise<void> {
  // A copy: the caller may change its own while we wait.
  const own = new Uint8Array(what.bytes);
  for (let at = 0; at < own.length;) {
    at += check(await libc.write(fd, own.subarray(at)), what.doing);
  }
}

/** Owners first: a change of owner takes set-id bits away. */
export function setAccess(
  libc: Libc,
  fd: number,
  what: { readonly access: Access; readonly doing: string },
): void {
  const { access: { mode, uid = NOBODY, gid = NOBODY }, doing } = what;
  if (uid !== NOBODY || gid !== NOBODY) {
    check(libc.chownFd(fd, uid, gid), doing);
  }
  check(libc.chmodFd(fd, mode), doing);
}

export function refuseUnlessFile(
  path: string,
  found: FileStat,
  limitBytes: number,
) {
  if (found.kind !== "file") {
    throw new AgentError(
      `Cannot read ${path}: not a regular file (${found.kind})`,
      { next: "give-up" },
    );
  }
  if (found.sizeBytes > limitBytes) throw tooLong(path, limitBytes);
}

function tooLong(path: string, limitBytes: number): AgentError {
  return new AgentError(
    `Cannot read ${path}: longer than ${limitBytes} bytes`,
    { next: "give-up" },
  );
}
