/**
 * `LogFiles` on Linux. The way to a log is walked by `openat2`, which follows
 * no link; reading at an offset is Deno's. That the two found the same file is
 * checked after opening, so a link slipped in between is refused as well.
 */
import { AgentError } from "../base/errors.ts";
import type { LogFile, LogFiles } from "../port/log_files.ts";
import { O_NOFOLLOW, O_PATH } from "./abi.ts";
import { check, openPath, type Trees } from "./beneath.ts";
import { failure, isAbsent } from "./errno.ts";

const TYPE_BITS = 0o170000;
const REGULAR_FILE = 0o100000;
/** A rotation may come between the look and the opening, but not often. */
const TRIES = 3;

export class HostLogFiles implements LogFiles {
  readonly #trees: Trees;

  constructor(trees: Trees) {
    this.#trees = trees;
  }

  async open(path: string): Promise<LogFile | undefined> {
    for (let tries = 0; tries < TRIES; tries++) {
      const expected = await this.identity(path);
      if (expected === undefined) return undefined;
      const file = await openFile(path);
      if (file === undefined) return undefined;
      const found = identityOf(await file.stat());
      if (found === expected) return new HostLogFile(file, path, expected);
      file.close();
    }
    throw new AgentError(`Cannot open ${path}: it is not what its name says`, {
      next: "retry",
    });
  }

  identity(path: string): Promise<string | undefined> {
    return Promise.try(() => {
      const { libc } = this.#trees;
      const fd = openPath(this.#trees, path, O_PATH | O_NOFOLLOW);
      if (fd < 0 && isAbsent(-fd)) return undefined;
      check(fd, `Cannot open ${path}`);
      try {
        const found = libc.stat(fd);
        if (typeof found === "number") {
          throw failure(`Cannot stat ${path}`, -found);
        }
        if ((found.mode & TYPE_BITS) !== REGULAR_FILE) {
          throw new AgentError(`Cannot read ${path}: not a regular file`, {
            next: "give-up",
          });
        }
        return identityFrom(found.identity);
      } finally {
        libc.closeFd(fd);
      }
    });
  }
}

class HostLogFile implements LogFile {
  readonly identity: string;
  readonly #file: Deno.FsFile;
  readonly #path: string;
  /** Where the next read begins unless we seek. */
  #at = 0;

  constructor(file: Deno.FsFile, path: string, identity: string) {
    this.#file = file;
    this.#path = path;
    this.identity = identity;
  }

  async sizeBytes(): Promise<number> {
    return (await this.#file.stat()).size;
  }

  async read(offset: number, lengthBytes: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(lengthBytes);
    let length = 0;
    try {
      if (offset !== this.#at) {
        await this.#file.seek(offset, Deno.SeekMode.Start);
        this.#at = offset;
      }
      while (length < lengthBytes) {
        const read = await this.#file.read(bytes.subarray(length));
        if (read === null) break;
        length += read;
        this.#at += read;
      }
    } catch (cause) {
      throw new AgentError(`Cannot read ${this.#path}`, {
        next: "retry",
        cause,
      });
    }
    return bytes.subarray(0, length);
  }

  close(): void {
    this.#file.close();
  }
}

async function openFile(path: string): Promise<Deno.FsFile | undefined> {
  try {
    return await Deno.open(path, { read: true });
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    const isRefused = cause instanceof Deno.errors.NotCapable;
    throw new AgentError(`Cannot open ${path}`, {
      next: isRefused ? "give-up" : "retry",
      cause,
    });
  }
}

/** Deno packs the device number as the C library does, the kernel in two. */
function identityOf({ dev, ino }: Deno.FileInfo): string {
  const device = BigInt(dev);
  const major = ((device >> 32n) & 0xfffff000n) | ((device >> 8n) & 0xfffn);
  const minor = ((device >> 12n) & 0xffffff00n) | (device & 0xffn);
  return `${major}:${minor}:${ino ?? 0}`;
}

/** Inodes beyond 2^53 lose the same digits here as in Deno's answer. */
function identityFrom(exact: string): string {
  const [major = "", minor = "", inode = ""] = exact.split(":");
  return `${major}:${minor}:${Number(inode)}`;
}
