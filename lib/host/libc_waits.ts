/**
 * The part of libc.ts for waiting on the kernel's own files: what happens in
 * directories, pressure, memory of cgroups, and its messages.
 */
import { type Bytes, O_CLOEXEC, SEEK_END } from "./abi.ts";
import type { SYMBOLS } from "./libc_symbols.ts";

type Library = Deno.DynamicLibrary<typeof SYMBOLS>;
type Call = (one: (symbols: Library["symbols"]) => number | bigint) => number;

export class LibcWaits {
  readonly #library: Library;
  readonly #call: Call;

  constructor(library: Library, call: Call) {
    this.#library = library;
    this.#call = call;
  }

  /** A new queue of inotify events. */
  inotifyOpen(): number {
    return this.#call((c) => c.inotify_init1(O_CLOEXEC));
  }

  inotifyAdd(fd: number, path: Bytes, mask: number): number {
    return this.#call((c) => c.inotify_add_watch(fd, path, mask));
  }

  /** Ends a watch; whoever waits for its events gets a last one. */
  inotifyRemove(fd: number, watch: number): number {
    return this.#call((c) => c.inotify_rm_watch(fd, watch));
  }

  /** A counter to wait for; whatever is written to it wakes the waiter. */
  eventFd(): number {
    return this.#call((c) => c.eventfd(0, O_CLOEXEC));
  }

  /** Until one of them is ready, however long; never on the main thread. */
  async poll(polls: Bytes, count: number): Promise<void> {
    await this.#library.symbols.pollAside(polls, BigInt(count), -1);
  }

  /** What comes from now on; 0, as such files have no length. */
  seekEnd(fd: number): number {
    return this.#call((c) => c.lseek(fd, 0n, SEEK_END));
  }
}
