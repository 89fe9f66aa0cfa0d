/**
 * Where the last lines of a log begin. Reads backwards from the end, block by
 * block, so that the length of the log does not matter.
 */
import { joined } from "../base/bytes.ts";
import type { LogFile } from "../port/log_files.ts";
import { HEADER_BYTES, logHeader, NEWLINE } from "./text.ts";

export const BLOCK_BYTES = 64 * 1024;

/**
 * The offset of the first of the last `lines` lines. A line that the runtime
 * wrote in pieces counts once, and its first piece is where it begins.
 */
export async function tailOffset(
  file: Pick<LogFile, "read" | "sizeBytes">,
  lines: number,
): Promise<number> {
  const size = await file.sizeBytes();
  if (lines === 0) return size;
  const tail = new Tail(lines, size);
  // The line that begins at a block's end is read in the block after it.
  let after = new Uint8Array();
  for (let end = size; end > 0;) {
    const from = Math.max(0, end - BLOCK_BYTES);
    const block = await file.read(from, end - from);
    const bytes = joined([block, after]);
    for (const at of lineStarts(block, from)) {
      const head = bytes.subarray(at, at + HEADER_BYTES);
      if (tail.isComplete(from + at, head)) return tail.start;
    }
    after = bytes.slice(0, HEADER_BYTES);
    end = from;
  }
  return tail.start;
}

/** Offsets in the block at which lines begin, last first. */
function* lineStarts(block: Uint8Array, from: number): Generator<number> {
  for (let at = block.length; at > 0;) {
    const newline = block.lastIndexOf(NEWLINE, at - 1);
    if (newline < 0) break;
    yield newline + 1;
    at = newline;
  }
  if (from === 0) yield 0;
}

/** Counts raw lines from the last one on. */
class Tail {
  readonly #wanted: number;
  readonly #size: number;
  #found = 0;
  start: number;

  constructor(wanted: number, size: number) {
    this.#wanted = wanted;
    this.#size = size;
    this.start = size;
  }

  /** Takes the next line towards the front; true: it is one too many. */
  isComplete(offset: number, head: Uint8Array): boolean {
    if (offset >= this.#size) return false;
    const isEnd = logHeader(head)?.part !== "piece";
    // A piece belongs to the line after it, or is the last thing written.
    if (isEnd || this.#found === 0) {
      if (this.#found === this.#wanted) return true;
      this.#found++;
    }
    this.start = offset;
    return false;
  }
}
