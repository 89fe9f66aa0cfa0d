/**
 * The logs that came and went while a follower's reader was slow: when its
 * file has been replaced more than once, those in between lie beside it,
 * renamed and perhaps packed. Called by read.ts.
 */
import type { Files } from "../port/host.ts";
import type { LogFile, LogFiles } from "../port/log_files.ts";
import { PACKED } from "./rotation.ts";
import { BLOCK_BYTES } from "./tail.ts";
import { HEADER_BYTES } from "./text.ts";

/** A log and the names it had before. */
export interface LogPlace {
  readonly files: Pick<Files, "list">;
  readonly logFiles: LogFiles;
  readonly directory: string;
  /** `0.log` */
  readonly name: string;
}

export interface Rotated {
  /** `20260731-100233`; names tell the age. */
  readonly stamp: string;
  readonly file: LogFile;
  readonly isPacked: boolean;
}

/** Of the newest that was renamed before `current` had the name; or empty. */
export async function stampBefore(
  place: LogPlace,
  current: LogFile,
): Promise<string> {
  let found = "";
  for (const stamp of await stampsOf(place)) {
    const path = `${place.directory}/${place.name}.${stamp}`;
    const identity = await place.logFiles.identity(path);
    if (identity === current.identity) return found;
    found = stamp;
  }
  return found;
}

/**
 * Those renamed after `since`, oldest first, but for `last`, and none from
 * `next` on: it must have been opened before. Who takes one closes it.
 */
export async function* rotatedBetween(
  place: LogPlace,
  { since, last, next }: {
    readonly since: string;
    readonly last: LogFile;
    readonly next: LogFile;
  },
): AsyncGenerator<Rotated> {
  for (const stamp of await stampsOf(place)) {
    if (stamp <= since) continue;
    const found = await opened(place, stamp);
    if (found === undefined) continue;
    if (await isSame(found, next)) return found.file.close();
    if (await isSame(found, last)) found.file.close();
    else yield found;
  }
}

/** What it says, unpacked. */
export async function* blocksOf(
  { file, isPacked }: Rotated,
): AsyncGenerator<Uint8Array> {
  if (!isPacked) return yield* plainBlocks(file);
  const stream = ReadableStream.from(plainBlocks(file))
    .pipeThrough(new DecompressionStream("gzip"));
  for await (const block of stream) yield block;
}

async function* plainBlocks(
  file: LogFile,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let at = 0;;) {
    const block = new Uint8Array(await file.read(at, BLOCK_BYTES));
    if (block.length === 0) return;
    at += block.length;
    yield block;
  }
}

async function stampsOf({ files, directory, name }: LogPlace) {
  const stamps = new Set<string>();
  for (const entry of await files.list(directory) ?? []) {
    if (entry.kind !== "file" || !entry.name.startsWith(`${name}.`)) continue;
    const stamp = entry.name.slice(name.length + 1);
    const match = /^(\d{8}-\d{6})(\.gz)?$/.exec(stamp);
    if (match?.[1] !== undefined) stamps.add(match[1]);
  }
  return [...stamps].sort();
}

/** Packed meanwhile, or gone. */
async function opened(
  { logFiles, directory, name }: LogPlace,
  stamp: string,
): Promise<Rotated | undefined> {
  const path = `${directory}/${name}.${stamp}`;
  const plain = await logFiles.open(path);
  if (plain !== undefined) return { stamp, file: plain, isPacked: false };
  const packed = await logFiles.open(path + PACKED);
  return packed && { stamp, file: packed, isPacked: true };
}

/** A packed file is another one; what it begins with is told only once. */
async function isSame(found: Rotated, known: LogFile): Promise<boolean> {
  if (!found.isPacked) return found.file.identity === known.identity;
  const begin = (bytes: Uint8Array) =>
    new TextDecoder("latin1").decode(bytes.subarray(0, HEADER_BYTES));
  for await (const block of blocksOf(found)) {
    return begin(block) === begin(await known.read(0, HEADER_BYTES));
  }
  return false;
}
