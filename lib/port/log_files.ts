/**
 * What reading container logs needs of the file system beyond `Files`: a file
 * that stays open while it is renamed, and reading a part of it.
 */
import type { Files } from "./host.ts";
import type { Journal } from "./journal.ts";

/** One open log file. It goes on being the same file when it is renamed. */
export interface LogFile {
  /** Another text for every other file, whatever its name is or was. */
  readonly identity: string;
  /** How long it is now; writers may add to it at any time. */
  sizeBytes(): Promise<number>;
  /**
   * Up to `lengthBytes` from `offset` on: fewer only at the end of the file,
   * none beyond it.
   */
  read(offset: number, lengthBytes: number): Promise<Uint8Array>;
  close(): void;
}

/** Paths are absolute; symbolic links are never followed. */
export interface LogFiles {
  /**
   * Undefined when nothing is there. Rejects (`give-up`) for anything but a
   * regular file; a pipe or device is never waited for.
   */
  open(path: string): Promise<LogFile | undefined>;
  /** The identity of the file that has this name now, if there is one. */
  identity(path: string): Promise<string | undefined>;
}

/** The machine's own logs. Nothing above the folder can be reached. */
export interface SystemLogs {
  /** `/var/log`, below the host root. */
  readonly folder: string;
  readonly files: Pick<Files, "list" | "stat">;
  readonly logFiles: LogFiles;
  readonly journal: Journal;
}

/** What rotating logs needs besides: other names, and packed files. */
export interface LogKeeper {
  /**
   * Gives a regular file another name in the same directory. Rejects with
   * `already-so` when that name is taken, with `give-up` for anything else.
   */
  rename(from: string, to: string): Promise<void>;
  /**
   * Packs a regular file by gzip into a new one with its mode, by way of a
   * name that ends in `.tmp`, and then takes the file away.
   */
  pack(from: string, signal: AbortSignal): Promise<void>;
}
