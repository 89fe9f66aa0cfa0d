/**
 * The part of libc.ts for Unix sockets: those of the service manager, which
 * takes datagrams, and of the system bus, which hands descriptors over. Deno
 * offers neither to a process whose permissions are scoped.
 */
import { AgentError } from "../base/errors.ts";
import { type Bytes, pollBytes, POLLIN } from "./abi.ts";
import { EAGAIN } from "./errno.ts";
import type { SYMBOLS } from "./libc_symbols.ts";

type Library = Deno.DynamicLibrary<typeof SYMBOLS>;
type Call = (one: (symbols: Library["symbols"]) => number | bigint) => number;

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const MSG_CTRUNC = 0x8;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x4000_0000;
const SHUT_RDWR = 2;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;

/** `sun_path`, with its final zero where it names a file. */
const LONGEST_PATH_BYTES = 108;
const FAMILY_BYTES = 2;

/** Where what belongs to one `recvmsg` lies in its block. */
const AT = { head: 0, part: 56, control: 72, data: 160 } as const;
const CONTROL_BYTES = AT.data - AT.control;
const CONTROL_HEAD_BYTES = 16;
const DATA_BYTES = 64 * 1024;

export interface Received {
  /** Empty: the other side has ended. */
  readonly bytes: Uint8Array;
  /** Ours to close. */
  readonly fds: readonly number[];
  /** More descriptors came than there was room for. */
  readonly isCut: boolean;
}

export class LibcSockets {
  readonly #library: Library;
  readonly #call: Call;

  constructor(library: Library, call: Call) {
    this.#library = library;
    this.#call = call;
  }

  /** A new socket; nothing ever waits on it by itself. */
  open(kind: "stream" | "datagram"): number {
    const type = kind === "stream" ? SOCK_STREAM : SOCK_DGRAM;
    return this.#call((c) =>
      c.socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
    );
  }

  connect(fd: number, path: string): number {
    const address = socketAddress(path);
    return this.#call((c) => c.connect(fd, address, address.length));
  }

  /** How much was taken. `path`: to whom; absent: to the one connected to. */
  send(fd: number, bytes: Bytes, path?: string): number {
    const to = path === undefined ? null : socketAddress(path);
    const size = BigInt(bytes.length);
    return this.#call((c) =>
      c.sendto(fd, bytes, size, MSG_NOSIGNAL, to, to?.length ?? 0)
    );
  }

  /**
   * Resolves when there is something to receive, an end included; now and
   * then for nothing. Waits off the main thread; `end` ends it.
   */
  async readable(fd: number): Promise<void> {
    const polls = pollBytes([{ fd, events: POLLIN }]);
    await this.#library.symbols.pollAside(polls, 1n, -1);
  }

  /** Whatever is there; undefined: nothing is. A negated errno on failure. */
  receive(fd: number): Received | number | undefined {
    const { malloc, free } = this.#library.symbols;
    const block = malloc(BigInt(AT.data + DATA_BYTES));
    if (block === 0n) {
      throw new AgentError("Cannot receive: out of memory", { next: "retry" });
    }
    try {
      this.#fill(block, receiveHead(block));
      const flags = MSG_DONTWAIT | MSG_CMSG_CLOEXEC;
      const length = this.#call((c) => c.recvmsg(fd, block, flags));
      if (length === -EAGAIN) return undefined;
      return length < 0 ? length : this.#received(block, length);
    } finally {
      free(block);
    }
  }

  /** Nothing comes or goes any more; who waits for it is woken. */
  end(fd: number): void {
    this.#library.symbols.shutdown(fd, SHUT_RDWR);
  }

  #received(block: bigint, length: number): Received {
    const head = new DataView(this.#read(block, AT.data).buffer);
    const bytes = this.#read(block + BigInt(AT.data), length);
    return {
      bytes,
      fds: descriptorsIn(head),
      isCut: (head.getInt32(48, true) & MSG_CTRUNC) !== 0,
    };
  }

  #fill(address: bigint, bytes: Bytes): void {
    this.#library.symbols.copyIn(address, bytes, BigInt(bytes.length));
  }

  #read(address: bigint, length: number): Bytes {
    const bytes = new Uint8Array(length);
    if (length > 0) {
      this.#library.symbols.copyOut(bytes, address, BigInt(length));
    }
    return bytes;
  }
}

/** `@name` is one of the abstract names, which are no files. */
export function socketAddress(path: string): Bytes {
  const name = new TextEncoder().encode(path);
  const isAbstract = path.startsWith("@");
  const length = name.length + (isAbstract ? 0 : 1);
  if (name.length === 0 || length > LONGEST_PATH_BYTES) {
    throw new AgentError(
      `Cannot reach the socket ${JSON.stringify(path)}: 1 to ` +
        `${LONGEST_PATH_BYTES - 1} bytes are allowed`,
      { next: "give-up" },
    );
  }
  const address = new Uint8Array(FAMILY_BYTES + length);
  new DataView(address.buffer).setUint16(0, AF_UNIX, true);
  address.set(name, FAMILY_BYTES);
  if (isAbstract) address[FAMILY_BYTES] = 0;
  return address;
}

/** `struct msghdr` and its only `struct iovec`. */
function receiveHead(block: bigint): Bytes {
  const bytes = new Uint8Array(AT.data);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(16, block + BigInt(AT.part), true);
  view.setBigUint64(24, 1n, true);
  view.setBigUint64(32, block + BigInt(AT.control), true);
  view.setBigUint64(40, BigInt(CONTROL_BYTES), true);
  view.setBigUint64(AT.part, block + BigInt(AT.data), true);
  view.setBigUint64(AT.part + 8, BigInt(DATA_BYTES), true);
  return bytes;
}

/** Of every `struct cmsghdr` that carries some. */
function descriptorsIn(head: DataView): readonly number[] {
  const end = AT.control +
    Math.min(Number(head.getBigUint64(40, true)), CONTROL_BYTES);
  const found: number[] = [];
  for (let at: number = AT.control; at + CONTROL_HEAD_BYTES <= end;) {
    const length = Number(head.getBigUint64(at, true));
    const stop = Math.min(at + length, end);
    const isRights = head.getInt32(at + 8, true) === SOL_SOCKET &&
      head.getInt32(at + 12, true) === SCM_RIGHTS;
    for (let fd = at + CONTROL_HEAD_BYTES; fd + 4 <= stop; fd += 4) {
      if (isRights) found.push(head.getInt32(fd, true));
    }
    at += Math.max(Math.ceil(length / 8) * 8, CONTROL_HEAD_BYTES);
  }
  return found;
}
