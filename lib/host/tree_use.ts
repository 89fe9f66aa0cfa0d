/**
 * How much a tree takes on its file system. The tree may be hostile: no link
 * is followed, no mount crossed, and neither depth nor size holds up the agent:
 * directories are visited one by one, each opened by its path below the root.
 */
import { systemClock } from "../base/clock.ts";
import { Pace } from "../base/pace.ts";
import {
  type Bytes,
  cString,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  type RawEntry,
  RESOLVE_NO_XDEV,
  type Statx,
} from "./abi.ts";
import { openPath, STRICT, type Trees } from "./beneath.ts";
import { failure, isAbsent } from "./errno.ts";
import { kindFrom } from "./file_stat.ts";
import type { Libc } from "./libc.ts";

const RESOLVE = STRICT | RESOLVE_NO_XDEV;

export interface TreeUse {
  readonly usedBytes: bigint;
  readonly inodes: bigint;
}

/** A tree that is not there takes nothing. */
export async function treeUse(
  trees: Trees,
  path: string,
  signal: AbortSignal,
): Promise<TreeUse> {
  const top = openPath(trees, path, O_RDONLY | O_DIRECTORY);
  if (top < 0 && isAbsent(-top)) return { usedBytes: 0n, inodes: 0n };
  if (top < 0) throw failure(`Cannot measure ${path}`, -top);
  const walk = new Walk(trees.libc, top);
  try {
    await walk.run(signal);
    return { usedBytes: walk.usedBytes, inodes: walk.inodes };
  } finally {
    trees.libc.closeFd(top);
  }
}

class Walk {
  readonly #libc: Libc;
  readonly #top: number;
  /** Directories to visit, relative to the top. */
  readonly #open: Bytes[] = [cString(".")];
  /** Files with several links that were counted. */
  readonly #seen = new Set<string>();
  readonly #pace = new Pace(systemClock);
  usedBytes = 0n;
  inodes = 0n;

  constructor(libc: Libc, top: number) {
    this.#libc = libc;
    this.#top = top;
  }

  async run(signal: AbortSignal): Promise<void> {
    const found = this.#libc.stat(this.#top);
    if (typeof found !== "number") this.#add(found);
    for (let next = this.#open.pop(); next; next = this.#open.pop()) {
      await this.#enter(next, signal);
    }
  }

  /** Nothing, where it went away meanwhile or is another file system. */
  async #enter(directory: Bytes, signal: AbortSignal): Promise<void> {
    const fd = this.#openAt(directory, O_RDONLY | O_DIRECTORY);
    if (fd < 0) return;
    try {
      for (;;) {
        const some: RawEntry[] = [];
        if (this.#libc.someEntries(fd, some) <= 0) return;
        for (const entry of some) {
          this.#visit(directory, entry);
          await this.#pace.step(signal);
        }
        signal.throwIfAborted();
      }
    } finally {
      this.#libc.closeFd(fd);
    }
  }

  #visit(
    directory: Bytes,
    entry: RawEntry,
  ): void {
    // The path stays in bytes: a name need not be text.
    const path = joined(directory, entry.name);
    const fd = this.#openAt(path, O_PATH | O_NOFOLLOW);
    if (fd < 0) return;
    const found = this.#libc.stat(fd);
    this.#libc.closeFd(fd);
    if (typeof found === "number") return;
    this.#add(found);
    if (kindFrom(entry.type) === "directory") this.#open.push(path);
  }

  /** A link itself can be opened this way, but none on the way is followed. */
  #openAt(path: Bytes, flags: number): number {
    return this.#libc.openAt(this.#top, path, { flags, resolve: RESOLVE });
  }

  #add({ usedBytes, links, identity, mode }: Statx): void {
    const isDirectory = (mode & 0o170000) === 0o040000;
    if (links > 1 && !isDirectory) {
      if (this.#seen.has(identity)) return;
      this.#seen.add(identity);
    }
    this.usedBytes += usedBytes;
    this.inodes += 1n;
  }
}

/** Both end with a NUL. */
function joined(directory: Bytes, name: Bytes): Bytes {
  const path = new Uint8Array(directory.length + name.length);
  path.set(directory);
  path[directory.length - 1] = 0x2f;
  path.set(name, directory.length);
  return path;
}
