/** The part of libc.ts that tells of file systems: what is in them and of them. */
import { cString, FSCONFIG_SET_FLAG, SYS_FSCONFIG, SYS_FSOPEN } from "./abi.ts";
import type { SYMBOLS } from "./libc_symbols.ts";

/** `struct statfs` of 64-bit Linux: words of eight bytes. */
const STATFS_BYTES = 120;
const WORD = { size: 1, blocks: 2, free: 3, files: 5, filesFree: 6 } as const;

export interface FilesystemRoom {
  readonly capacityBytes: bigint;
  readonly usedBytes: bigint;
  readonly inodes: bigint;
  readonly inodesFree: bigint;
}

type Library = Deno.DynamicLibrary<typeof SYMBOLS>;
type Call = (one: (symbols: Library["symbols"]) => number | bigint) => number;

export class LibcFilesystems {
  readonly #library: Library;
  readonly #call: Call;

  constructor(library: Library, call: Call) {
    this.#library = library;
    this.#call = call;
  }

  /** Whether a type of file system has a flag; mounts nothing. */
  knowsFlag(type: string, flag: string): boolean {
    const fd = this.#call((c) => c.fsopen(SYS_FSOPEN, cString(type), 0n));
    if (fd < 0) return false;
    const key = cString(flag);
    const done = this.#call((c) =>
      c.fsconfig(SYS_FSCONFIG, BigInt(fd), FSCONFIG_SET_FLAG, key, null, 0n)
    );
    this.#library.symbols.close(fd);
    return done >= 0;
  }

  /** Of the one that an open file lies on, or a negated errno. */
  room(fd: number): FilesystemRoom | number {
    const bytes = new Uint8Array(STATFS_BYTES);
    const done = this.#call((c) => c.fstatfs(fd, bytes));
    if (done < 0) return done;
    const view = new DataView(bytes.buffer);
    const word = (at: number) => view.getBigUint64(at * 8, true);
    return {
      capacityBytes: word(WORD.blocks) * word(WORD.size),
      usedBytes: (word(WORD.blocks) - word(WORD.free)) * word(WORD.size),
      inodes: word(WORD.files),
      inodesFree: word(WORD.filesFree),
    };
  }
}
