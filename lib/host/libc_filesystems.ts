/** The part of libc.ts that tells how full a file system is. */
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

type Symbols = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];
type Call = (one: (symbols: Symbols) => number | bigint) => number;

export class LibcFilesystems {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
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
