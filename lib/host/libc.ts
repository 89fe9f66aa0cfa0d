/**
 * The only FFI of the program: a handful of Linux calls that Deno does not
 * offer, or offers only to a process that may do everything. Results follow
 * the kernel: zero or more is success, below zero is a negated errno. Memory
 * is passed as `buffer`, which a grant of `--allow-ffi=<path>` allows; nothing
 * here follows a pointer except `errno`'s, four bytes long, and those of one
 * block of its own that libc_sockets.ts receives into.
 */
import { AgentError } from "../base/errors.ts";
import {
  AT_EMPTY_PATH,
  type Bytes,
  collectEntries,
  cString,
  DIRENT_BYTES,
  HOW_BYTES,
  howBytes,
  LOCK_EX,
  LOCK_NB,
  MACHINE,
  type MountHow,
  type OpenHow,
  type RawEntry,
  type Statx,
  STATX_BASIC_STATS,
  STATX_BYTES,
  statxFrom,
} from "./abi.ts";
import { EINTR, EIO } from "./errno.ts";
import { SYMBOLS } from "./libc_symbols.ts";
import { LibcFilesystems } from "./libc_filesystems.ts";
import { LibcSockets } from "./libc_sockets.ts";
import { LibcWaits } from "./libc_waits.ts";

/** Where the C library is on the systems we know. */
export const LIBC_PATHS: readonly string[] = [
  "/lib/x86_64-linux-gnu/libc.so.6",
  "/lib/aarch64-linux-gnu/libc.so.6",
  "/lib64/libc.so.6",
];

/** Loads the C library; `path` is what the FFI grant names. */
export function openLibc(path?: string): Libc {
  const paths = path === undefined ? LIBC_PATHS : [path];
  const failures: unknown[] = [];
  for (const candidate of paths) {
    try {
      return new Libc(Deno.dlopen(candidate, SYMBOLS));
    } catch (error) {
      failures.push(error);
    }
  }
  throw new AgentError(`Cannot load the C library from ${paths.join(", ")}`, {
    next: "give-up",
    cause: failures[0],
  });
}

/** Calls by name. Holds the library open until `close`. */
export class Libc {
  readonly #library: Deno.DynamicLibrary<typeof SYMBOLS>;
  /** Of those that are used again and again; the kernel only reads them. */
  readonly #hows = new WeakMap<OpenHow, Bytes>();
  readonly filesystems: LibcFilesystems;
  readonly sockets: LibcSockets;
  readonly waits: LibcWaits;

  constructor(library: Deno.DynamicLibrary<typeof SYMBOLS>) {
    this.#library = library;
    this.filesystems = new LibcFilesystems(library, (one) => this.#call(one));
    this.sockets = new LibcSockets(library, (one) => this.#call(one));
    this.waits = new LibcWaits(library, (one) => this.#call(one));
  }

  close(): void {
    this.#library.close();
  }

  openAt(dirFd: number, path: Bytes, how: OpenHow): number {
    const bytes = this.#hows.get(how) ?? howBytes(how);
    this.#hows.set(how, bytes);
    return this.#call((c) =>
      c.openat2(MACHINE.openat2, BigInt(dirFd), path, bytes, BigInt(HOW_BYTES))
    );
  }

  /** Off the main thread: to cut a file takes as long as to remove it. */
  async openToCut(dirFd: number, path: Bytes, how: OpenHow): Promise<number> {
    const { openat2Aside: open } = this.#library.symbols;
    const [at, size] = [BigInt(dirFd), BigInt(HOW_BYTES)];
    const fd = await open(MACHINE.openat2, at, path, howBytes(how), size);
    return fd >= 0n ? Number(fd) : this.openAt(dirFd, path, how);
  }

  /** What was freed goes back to the kernel: a millisecond, and MiB. */
  trim(): void {
    this.#library.symbols.malloc_trim?.(0n);
  }

  closeFd(fd: number): void {
    this.#library.symbols.close(fd);
  }

  stat(fd: number): Statx | number {
    const bytes = new Uint8Array(STATX_BYTES);
    const done = this.#call((c) =>
      c.statx(
        MACHINE.statx,
        BigInt(fd),
        cString(""),
        AT_EMPTY_PATH,
        STATX_BASIC_STATS,
        bytes,
      )
    );
    return done < 0 ? done : statxFrom(new DataView(bytes.buffer));
  }

  /** Every entry but `.` and `..`; a negated errno on failure. */
  entries(fd: number): RawEntry[] | number {
    const found: RawEntry[] = [];
    for (;;) {
      const more = this.someEntries(fd, found);
      if (more < 0) return more;
      if (more === 0) return found;
    }
  }

  /** Adds the next few hundred entries; zero at the end. */
  someEntries(fd: number, into: RawEntry[]): number {
    const bytes = new Uint8Array(DIRENT_BYTES);
    const size = BigInt(DIRENT_BYTES);
    const length = this.#call((c) =>
      c.getdents64(MACHINE.getdents64, BigInt(fd), bytes, size)
    );
    if (length > 0) collectEntries(bytes.subarray(0, length), into);
    return length;
  }

  /** Reads off the main thread; fills a part of `into`, 0 at the end. */
  async read(fd: number, into: Bytes): Promise<number> {
    const size = BigInt(into.length);
    const length = await this.#library.symbols.readAside(fd, into, size);
    // The errno stayed on the other thread; the same call here brings it.
    return length >= 0n
      ? Number(length)
      : this.#call((c) => c.read(fd, into, size));
  }

  /**
   * Reads from a descriptor that may have nothing to say for ever, so never
   * on the main thread. Below zero for a failure that is worth another try.
   */
  async readWaiting(fd: number, into: Bytes): Promise<number> {
    const size = BigInt(into.length);
    return Number(await this.#library.symbols.readAside(fd, into, size));
  }

  /** Like `read`, from a place in the file; nothing is at its end. */
  async readAt(fd: number, into: Bytes, offset: number): Promise<number> {
    const [size, from] = [BigInt(into.length), BigInt(offset)];
    const length = await this.#library.symbols.preadAside(fd, into, size, from);
    return length >= 0n
      ? Number(length)
      : this.#call((c) => c.pread(fd, into, size, from));
  }

  /** For files that the kernel has in memory. */
  readNow(fd: number, into: Bytes): number {
    return this.#call((c) => c.read(fd, into, BigInt(into.length)));
  }

  async write(fd: number, from: Bytes): Promise<number> {
    const size = BigInt(from.length);
    const length = await this.#library.symbols.writeAside(fd, from, size);
    return length >= 0n
      ? Number(length)
      : this.#call((c) => c.write(fd, from, size));
  }

  /** Without waiting; held until the descriptor is closed. */
  lock(fd: number): number {
    return this.#call((c) => c.flock(fd, LOCK_EX | LOCK_NB));
  }

  /** Of a few bytes that the kernel takes at once. */
  writeNow(fd: number, from: Bytes): number {
    return this.#call((c) => c.write(fd, from, BigInt(from.length)));
  }

  async fsync(fd: number): Promise<number> {
    // Asking again would forget the failure, so its errno is not known.
    return await this.#library.symbols.fsyncAside(fd) < 0 ? -EIO : 0;
  }

  symlinkAt(target: Bytes, dirFd: number, path: Bytes): number {
    return this.#call((c) => c.symlinkat(target, dirFd, path));
  }

  readLinkAt(dirFd: number, path: Bytes): string | number {
    const bytes = new Uint8Array(4096);
    const length = this.#call((c) =>
      c.readlinkat(dirFd, path, bytes, BigInt(bytes.length))
    );
    if (length < 0) return length;
    return new TextDecoder().decode(bytes.subarray(0, length));
  }

  renameAt(fromFd: number, from: Bytes, to: { fd: number; path: Bytes }) {
    return this.#call((c) => c.renameat(fromFd, from, to.fd, to.path));
  }

  /** Off the main thread: on a busy disk it takes a tenth of a second. */
  async unlinkAt(dirFd: number, path: Bytes, flags: number): Promise<number> {
    const done = await this.#library.symbols.unlinkatAside(dirFd, path, flags);
    return done >= 0 ? 0 : this.#call((c) => c.unlinkat(dirFd, path, flags));
  }

  makeDirectoryAt(dirFd: number, path: Bytes, mode: number): number {
    return this.#call((c) => c.mkdirat(dirFd, path, mode));
  }

  chmodFd(fd: number, mode: number): number {
    return this.#call((c) => c.fchmod(fd, mode));
  }

  /** `NOBODY` leaves an owner as it is. */
  chownFd(fd: number, uid: number, gid: number): number {
    return this.#call((c) => c.fchown(fd, uid, gid));
  }

  /** The owners of exactly what a descriptor names, also an `O_PATH` one. */
  chownOpen(fd: number, uid: number, gid: number): number {
    const itself = cString("");
    const flags = Number(AT_EMPTY_PATH);
    return this.#call((c) => c.fchownat(fd, itself, uid, gid, flags));
  }

  /** Follows a final link: only for paths below directories of our own. */
  chmodAt(dirFd: number, path: Bytes, mode: number): number {
    return this.#call((c) => c.fchmodat(dirFd, path, mode, 0));
  }

  /** The process-wide file mode mask; returns the old one. */
  umask(mask: number): number {
    return this.#library.symbols.umask(mask);
  }

  mount(source: string, target: string, how: MountHow): number {
    const type = cString(how.type ?? "none");
    const data = how.data === undefined ? null : cString(how.data);
    const flags = BigInt(how.flags);
    return this.#call((c) =>
      c.mount(cString(source), cString(target), type, flags, data)
    );
  }

  /** Off the main thread, as servers may not answer; only whether it did. */
  async mountAside(
    source: string,
    target: string,
    how: MountHow,
  ): Promise<boolean> {
    const type = cString(how.type ?? "none");
    const data = how.data === undefined ? null : cString(how.data);
    const [from, to] = [cString(source), cString(target)];
    const { mountAside } = this.#library.symbols;
    return await mountAside(from, to, type, BigInt(how.flags), data) === 0;
  }

  unmount(target: string, flags: number): number {
    return this.#call((c) => c.umount2(cString(target), flags));
  }

  /** Off the main thread, as servers may not answer; only whether it did. */
  async unmountAside(target: string, flags: number): Promise<boolean> {
    const { umount2Aside } = this.#library.symbols;
    return await umount2Aside(cString(target), flags) === 0;
  }

  #call(
    one: (
      symbols: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"],
    ) => number | bigint,
  ): number {
    for (;;) {
      const result = Number(one(this.#library.symbols));
      if (result >= 0) return result;
      const errno = this.#errno();
      if (errno !== EINTR) return -errno;
    }
  }

  #errno(): number {
    const bytes = new Uint8Array(4);
    const { memcpy, __errno_location } = this.#library.symbols;
    memcpy(bytes, __errno_location(), 4n);
    return new DataView(bytes.buffer).getInt32(0, true);
  }
}
