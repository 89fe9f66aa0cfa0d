/**
 * `LogKeeper` on Linux: renames and packs log files. The way to them is walked
 * by `openat2`; what a pod put in the place of a log is refused.
 */
import { AgentError } from "../base/errors.ts";
import type { LogFile, LogKeeper } from "../port/log_files.ts";
import {
  cString,
  O_CREAT,
  O_EXCL,
  O_NOFOLLOW,
  O_PATH,
  O_WRONLY,
  type Statx,
} from "./abi.ts";
import { check, inParent, type Place, STRICT, type Trees } from "./beneath.ts";
import { isAbsent } from "./errno.ts";
import { fileStat } from "./file_stat.ts";
import { HostLogFiles } from "./log_files.ts";
import { writeAll } from "./transfer.ts";

const BLOCK_BYTES = 64 * 1024;

export class HostLogKeeper implements LogKeeper {
  readonly #trees: Trees;
  readonly #logFiles: HostLogFiles;

  constructor(trees: Trees) {
    this.#trees = trees;
    this.#logFiles = new HostLogFiles(trees);
  }

  async rename(from: string, to: string): Promise<void> {
    const doing = `Cannot rename ${from}`;
    const name = cString(to.slice(to.lastIndexOf("/") + 1));
    const done = await inParent(this.#trees, from, (place) => {
      this.#regular(place, doing);
      if (this.#look({ ...place, name }) !== undefined) {
        throw new AgentError(`${doing}: ${to} is there already`, {
          next: "already-so",
        });
      }
      const target = { fd: place.fd, path: name };
      return this.#trees.libc.renameAt(place.fd, place.name, target);
    });
    check(done, doing);
  }

  async pack(from: string, signal: AbortSignal): Promise<void> {
    const doing = `Cannot pack ${from}`;
    const file = await this.#logFiles.open(from);
    if (file === undefined) {
      throw new AgentError(`${doing}: it is not there`, { next: "already-so" });
    }
    const slash = from.lastIndexOf("/") + 1;
    const named = (end: string) => cString(from.slice(slash) + end);
    try {
      const done = await inParent(this.#trees, from, async (place) => {
        const { mode } = fileStat(this.#regular(place, doing));
        const half = named(".tmp");
        await this.#write(
          { ...place, name: half },
          { file, mode, doing },
          signal,
        );
        const { libc } = this.#trees;
        const whole = { fd: place.fd, path: named(".gz") };
        check(libc.renameAt(place.fd, half, whole), doing);
        return await libc.unlinkAt(place.fd, place.name, 0);
      });
      check(done, doing);
    } finally {
      file.close();
    }
  }

  async #write(
    place: Place,
    what: {
      readonly file: LogFile;
      readonly mode: number;
      readonly doing: string;
    },
    signal: AbortSignal,
  ): Promise<void> {
    const { libc } = this.#trees;
    const { file, mode, doing } = what;
    const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
    const how = { flags, mode: 0o600, resolve: STRICT };
    const fd = check(libc.openAt(place.fd, place.name, how), doing);
    try {
      const packed = ReadableStream.from(blocks(file, signal))
        .pipeThrough(new CompressionStream("gzip"));
      for await (const bytes of packed) {
        await writeAll(libc, fd, { bytes, doing });
      }
      check(libc.chmodFd(fd, mode), doing);
      // The original goes next: the new one must outlive a power cut.
      check(await libc.fsync(fd), doing);
    } catch (error) {
      await libc.unlinkAt(place.fd, place.name, 0);
      throw error;
    } finally {
      libc.closeFd(fd);
    }
  }

  #regular(place: Place, doing: string): Statx {
    const found = this.#look(place);
    if (found !== undefined && fileStat(found).kind === "file") return found;
    throw new AgentError(`${doing}: not a regular file`, { next: "give-up" });
  }

  #look({ fd, name }: Place): Statx | undefined {
    const { libc } = this.#trees;
    const how = { flags: O_PATH | O_NOFOLLOW, resolve: STRICT };
    const found = libc.openAt(fd, name, how);
    if (found < 0 && isAbsent(-found)) return undefined;
    check(found, "Cannot look at a log");
    const stat = libc.stat(found);
    libc.closeFd(found);
    return typeof stat === "number" ? undefined : stat;
  }
}

async function* blocks(
  file: LogFile,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let at = 0;;) {
    signal.throwIfAborted();
    const block = new Uint8Array(await file.read(at, BLOCK_BYTES));
    if (block.length === 0) return;
    at += block.length;
    yield block;
  }
}
