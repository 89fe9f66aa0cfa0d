/**
 * `LogFiles` on Linux. The way to a log is walked by `openat2`, which follows
 * no link and starts nothing; only what turned out to be a regular file is then
 * opened for reading, by its descriptor and not by its name. So whatever a pod
 * puts in its place meanwhile is neither read nor waited for.
 */
import { AgentError } from "../base/errors.ts";
import type { LogFile, LogFiles } from "../port/log_files.ts";
import {
  AT_FDCWD,
  cString,
  O_NOCTTY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
} from "./abi.ts";
import { check, openPath, type Trees } from "./beneath.ts";
import { failure, isAbsent } from "./errno.ts";
import { fileStat } from "./file_stat.ts";
import type { Libc } from "./libc.ts";

export class HostLogFiles implements LogFiles {
  readonly #trees: Trees;

  constructor(trees: Trees) {
    this.#trees = trees;
  }

  open(path: string): Promise<LogFile | undefined> {
    const { libc } = this.#trees;
    return this.#onFile(path, (fd, identity) => {
      // Compat: O_PATH opens nothing yet; this is the same file once more.
      const flags = O_RDONLY | O_NONBLOCK | O_NOCTTY;
      const itself = cString(`/proc/self/fd/${fd}`);
      const opened = libc.openAt(AT_FDCWD, itself, { flags, resolve: 0 });
      check(opened, `Cannot open ${path}`);
      return new HostLogFile(libc, opened, { path, identity });
    });
  }

  identity(path: string): Promise<string | undefined> {
    return this.#onFile(path, (_, identity) => identity);
  }

  /** Runs `work` on an `O_PATH` descriptor of a regular file. */
  #onFile<T>(
    path: string,
    work: (fd: number, identity: string) => T,
  ): Promise<T | undefined> {
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
        if (fileStat(found).kind !== "file") {
          throw new AgentError(`Cannot read ${path}: not a regular file`, {
            next: "give-up",
          });
        }
        return work(fd, found.identity);
      } finally {
        libc.closeFd(fd);
      }
    });
  }
}

class HostLogFile implements LogFile {
  readonly identity: string;
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #path: string;
  #reads = 0;
  #isClosed = false;

  constructor(
    libc: Libc,
    fd: number,
    of: { readonly path: string; readonly identity: string },
  ) {
    this.#libc = libc;
    this.#fd = fd;
    this.#path = of.path;
    this.identity = of.identity;
  }

  sizeBytes(): Promise<number> {
    return Promise.try(() => {
      this.#refuseClosed();
      const found = this.#libc.stat(this.#fd);
      if (typeof found !== "number") return found.sizeBytes;
      throw failure(`Cannot stat ${this.#path}`, -found);
    });
  }

  async read(offset: number, lengthBytes: number): Promise<Uint8Array> {
    this.#refuseClosed();
    const bytes = new Uint8Array(lengthBytes);
    this.#reads++;
    try {
      let length = 0;
      while (length < lengthBytes) {
        const rest = bytes.subarray(length);
        const read = await this.#libc.readAt(this.#fd, rest, offset + length);
        if (check(read, `Cannot read ${this.#path}`) === 0) break;
        length += read;
      }
      return bytes.subarray(0, length);
    } finally {
      this.#reads--;
      this.#closeIfOver();
    }
  }

  /** Invariant: never under a read, whose descriptor could be another's then. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#closeIfOver();
  }

  #closeIfOver(): void {
    if (this.#isClosed && this.#reads === 0) this.#libc.closeFd(this.#fd);
  }

  #refuseClosed(): void {
    if (!this.#isClosed) return;
    throw new AgentError(`Cannot read ${this.#path}: it is closed`, {
      next: "give-up",
    });
  }
}
