/** Log files of an in-memory machine: a name leads to what is there now. */
import { AgentError } from "../../lib/base/errors.ts";
import type { LogFile, LogFiles } from "../../lib/port/log_files.ts";
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
