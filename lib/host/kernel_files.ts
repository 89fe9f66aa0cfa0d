/**
 * Files that the kernel makes from memory when they are read (/proc, cgroups).
 * They are read at once and by the thousand, so through the C library: a read
 * by Deno checks the path against the permissions each time, which takes six
 * times as long as the kernel does. Used by usage.ts.
 */
import {
  AT_FDCWD,
  type Bytes,
  cString,
  O_DIRECTORY,
  O_PATH,
  O_RDONLY,
  RESOLVE_BENEATH,
  RESOLVE_NO_MAGICLINKS,
} from "./abi.ts";
import {
  EINVAL,
  ENODEV,
  EOPNOTSUPP,
  ESRCH,
  failure,
  isAbsent,
} from "./errno.ts";
import type { Libc } from "./libc.ts";

const FIRST_BYTES = 64 * 1024;
/** Half of what the kernel fills at a time: with less it had no more. */
const WHOLE_BYTES = 2048;
const PATH_BYTES = 4096;
const HOW = { flags: O_RDONLY, resolve: RESOLVE_NO_MAGICLINKS };
const BELOW = { flags: O_RDONLY, resolve: RESOLVE_BENEATH };
const FOLDER = {
  flags: O_PATH | O_DIRECTORY,
  resolve: RESOLVE_NO_MAGICLINKS,
};

export class KernelFiles {
  readonly #libc: Libc;
  readonly #path: Bytes = new Uint8Array(PATH_BYTES);
  readonly #encoder = new TextEncoder();
  readonly #decoder = new TextDecoder();
  readonly #folders = new Map<string, number>();
  /** The way to the folder that was read last, and names behind it. */
  readonly #way: Bytes = new Uint8Array(PATH_BYTES);
  #wayTo: string | undefined;
  #wayBytes = 0;
  readonly #names = new Map<string, Bytes>();
  #bytes: Bytes = new Uint8Array(FIRST_BYTES);

  constructor(libc: Libc) {
    this.#libc = libc;
  }

  /** The whole text; undefined when there is no such file, or no more. */
  read(path: string): string | undefined {
    const fd = this.#libc.openAt(AT_FDCWD, this.#inBytes(path), HOW);
    return this.#whole(fd, () => path);
  }

  /**
   * The same of `name` in `inside` (empty, or `/a/b`) below a folder. Once there
   * was a file the folder is held open: to find the way to it takes a sixth of a
   * read. For a few folders, and a few names.
   */
  readBelow(folder: string, inside: string, name: string): string | undefined {
    const known = this.#folders.get(folder);
    const at = known ?? this.#libc.openAt(AT_FDCWD, cString(folder), FOLDER);
    if (at < 0) return absentOr(folder, -at);
    const fd = this.#libc.openAt(at, this.#pathOf(inside, name), BELOW);
    if (known === undefined) {
      // What is to be mounted there may come later.
      if (fd < 0) this.#libc.closeFd(at);
      else this.#folders.set(folder, at);
    }
    return this.#whole(fd, () => `${folder}${inside}/${name}`);
  }

  /** Many files of one folder are read in turn: only their names differ. */
  #pathOf(inside: string, name: string): Bytes {
    if (inside !== this.#wayTo) {
      const way = cString(`.${inside}/`);
      if (way.length > PATH_BYTES) return cString(`.${inside}/${name}`);
      this.#way.set(way);
      this.#wayBytes = way.length - 1;
      this.#wayTo = inside;
    }
    const bytes = this.#names.get(name) ?? cString(name);
    this.#names.set(name, bytes);
    if (this.#wayBytes + bytes.length > PATH_BYTES) {
      return cString(`.${inside}/${name}`);
    }
    this.#way.set(bytes, this.#wayBytes);
    return this.#way;
  }

  /** `path` is for a complaint: mostly nobody needs it. */
  #whole(fd: number, path: () => string): string | undefined {
    if (fd < 0) return absentOr(path(), -fd);
    const length = this.#fill(fd);
    this.#libc.closeFd(fd);
    if (length < 0) return absentOr(path(), -length);
    return this.#decoder.decode(this.#bytes.subarray(0, length));
  }

  /** Always the same memory: new memory for each would be most of the work. */
  #inBytes(path: string): Bytes {
    const { read, written } = this.#encoder.encodeInto(path, this.#path);
    if (read < path.length || written === this.#path.length) {
      return cString(path);
    }
    if (this.#path.subarray(0, written).includes(0)) return cString(path);
    this.#path[written] = 0;
    return this.#path;
  }

  /** How many bytes there are, or a negated errno. */
  #fill(fd: number): number {
    for (let length = 0;;) {
      const rest = length === 0 ? this.#bytes : this.#bytes.subarray(length);
      const read = this.#libc.readNow(fd, rest);
      if (read < 0) return read;
      length += read;
      if (read < WHOLE_BYTES) return length;
      if (length < this.#bytes.length) continue;
      const grown = new Uint8Array(this.#bytes.length * 2);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
  }
}

/** A cgroup or process may go away between two reads; a root lacks files. */
function absentOr(path: string, errno: number): undefined {
  if (isAbsent(errno)) return undefined;
  if ([ENODEV, ESRCH, EOPNOTSUPP, EINVAL].includes(errno)) return undefined;
  throw failure(`Cannot read ${path}`, errno);
}
