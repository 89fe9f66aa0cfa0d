/** Log files of an in-memory machine: a name leads to what is there now. */
import { AgentError } from "../../lib/base/errors.ts";
import type { LogFile, LogFiles, LogKeeper } from "../../lib/port/log_files.ts";
import type { FakeFiles } from "./fake_host.ts";

export class FakeLogFiles implements LogFiles {
  readonly #files: FakeFiles;

  constructor(files: FakeFiles) {
    this.#files = files;
  }

  async open(path: string): Promise<LogFile | undefined> {
    const identity = await this.identity(path);
    if (identity === undefined) return undefined;
    const bytes = await this.#files.read(path, Infinity) ?? new Uint8Array();
    return {
      identity,
      sizeBytes: () => Promise.resolve(bytes.length),
      read: (offset, length) =>
        Promise.resolve(bytes.slice(offset, offset + length)),
      close: () => {},
    };
  }

  async identity(path: string): Promise<string | undefined> {
    const found = await this.#files.stat(path);
    if (found === undefined) return undefined;
    if (found.kind === "file") return found.version;
    throw new AgentError(`Cannot read ${path}: not a regular file`, {
      next: "give-up",
    });
  }
}

/** Packs by writing `gzip:` before the text. */
export class FakeLogKeeper implements LogKeeper {
  readonly #files: FakeFiles;

  constructor(files: FakeFiles) {
    this.#files = files;
  }

  async rename(from: string, to: string): Promise<void> {
    const bytes = await this.#bytes(from);
    if (await this.#files.stat(to) !== undefined) {
      throw new AgentError(`Cannot rename ${from}: ${to} is there already`, {
        next: "already-so",
      });
    }
    this.#files.put(to, bytes);
    this.#files.take(from);
  }

  async pack(from: string): Promise<void> {
    const text = new TextDecoder().decode(await this.#bytes(from));
    this.#files.put(`${from}.gz`, `gzip:${text}`);
    this.#files.take(from);
  }

  async #bytes(path: string): Promise<Uint8Array> {
    const bytes = await this.#files.read(path, Infinity);
    if (bytes !== undefined) return bytes;
    throw new AgentError(`Cannot use ${path}: it is not there`, {
      next: "give-up",
    });
  }
}
