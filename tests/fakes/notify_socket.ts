/** The socket of a service manager, as sd_notify(3) finds it. */
import { socketAddress } from "../../lib/host/libc_sockets.ts";
import { LIBC_PATHS } from "../../lib/host/libc.ts";

const AF_UNIX = 1;
const DATAGRAM_NONBLOCK_CLOEXEC = 2 | 0o4000 | 0o2000000;

const SYMBOLS = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "i64" },
  close: { parameters: ["i32"], result: "i32" },
} as const;

export class NotifySocket {
  readonly #libc = Deno.dlopen(libcPath(), SYMBOLS);
  readonly #fd: number;
  readonly path: string;

  /** `path`: a new file, or `@name`. */
  constructor(path: string) {
    this.path = path;
    const { socket, bind } = this.#libc.symbols;
    this.#fd = socket(AF_UNIX, DATAGRAM_NONBLOCK_CLOEXEC, 0);
    const address = socketAddress(path);
    if (bind(this.#fd, address, address.length) < 0) {
      throw new Error(`Cannot bind ${path}`);
    }
  }

  /** Every line that has come since it was last asked. */
  lines(): string[] {
    const bytes = new Uint8Array(4096);
    const found: string[] = [];
    for (;;) {
      const length = this.#libc.symbols.recv(this.#fd, bytes, 4096n, 0);
      if (length <= 0n) return found;
      const text = new TextDecoder().decode(bytes.subarray(0, Number(length)));
      found.push(...text.split("\n"));
    }
  }

  close(): void {
    this.#libc.symbols.close(this.#fd);
    this.#libc.close();
  }
}

export function libcPath(): string {
  const found = LIBC_PATHS.find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  });
  if (found === undefined) throw new Error("There is no C library");
  return found;
}
