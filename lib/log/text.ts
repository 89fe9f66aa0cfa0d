/**
 * Log files of the runtime to the text that the container wrote. A raw line is
 * `<RFC3339Nano> stdout|stderr P|F <text>`; `P` pieces go on in the next raw
 * line of the same stream until an `F` ends them. Pure; bytes in, bytes out,
 * because what a container writes need not be UTF-8.
 */
import { joined } from "../base/bytes.ts";

export interface LogHeader {
  readonly timestamp: string;
  readonly stream: "stdout" | "stderr";
  /** `piece`: the line goes on in the next raw line of the stream. */
  readonly part: "piece" | "end";
  /** Where the text begins. */
  readonly lengthBytes: number;
}

/** No header is longer than this. */
export const HEADER_BYTES = 128;
export const NEWLINE = 0x0a;

const HEADER = /^(\d{4}-\d\d-\d\dT[^ ]+) (stdout|stderr) ([^ ]+)(?: |$)/;
const LINE_END = Uint8Array.of(NEWLINE);
/** Beyond this a line is passed on in parts instead of being kept whole. */
const MOST_KEPT_BYTES = 1024 * 1024;
/** What keeping a piece costs besides its text; some runtimes write tiny ones. */
const PIECE_BYTES = 128;

/** The header of a raw line; undefined when it is not in the CRI's format. */
export function logHeader(line: Uint8Array): LogHeader | undefined {
  const head = new TextDecoder("latin1")
    .decode(line.subarray(0, HEADER_BYTES));
  const match = HEADER.exec(head);
  if (match === null) return undefined;
  const [whole, timestamp = "", stream, tags = ""] = match;
  return {
    timestamp,
    stream: stream === "stderr" ? "stderr" : "stdout",
    // Compat: tags may grow, `P:more`; the first one is the one we know.
    part: tags.split(":")[0] === "P" ? "piece" : "end",
    lengthBytes: whole.length,
  };
}

/** The line that one stream is in the middle of. */
interface Unfinished {
  readonly pieces: Uint8Array[];
  readonly costBytes: number;
}

/** Which lines are shown, and how. */
export interface LogChoice {
  readonly timestamps: "shown" | "hidden";
  /** Epoch nanoseconds: what is older is left out. */
  readonly since?: bigint | undefined;
  /** Undefined: both. */
  readonly stream?: LogHeader["stream"] | undefined;
}

/** Joins what it is given, block by block, into the container's lines. */
export class LogText {
  readonly #choice: LogChoice;
  readonly #unfinished = new Map<LogHeader["stream"], Unfinished>();
  /** The beginning of a raw line whose end has not been read yet. */
  #rest = new Uint8Array();

  constructor(choice: LogChoice) {
    this.#choice = choice;
  }

  /** The text that `block` completes; empty when it completes none. */
  add(block: Uint8Array): Uint8Array {
    const bytes = this.#rest.length === 0 ? block : joined([this.#rest, block]);
    const out: Uint8Array[] = [];
    let start = 0;
    for (;;) {
      const end = bytes.indexOf(NEWLINE, start);
      if (end < 0) break;
      this.#take(bytes.subarray(start, end), out);
      start = end + 1;
    }
    this.#rest = bytes.slice(start);
    if (this.#rest.length > MOST_KEPT_BYTES) this.#takeRest(out);
    return joined(out);
  }

  /** The file is at its end, but the log goes on in another one. */
  endFile(): Uint8Array {
    const out: Uint8Array[] = [];
    this.#takeRest(out);
    return joined(out);
  }

  /**
   * Nothing more will come: lets go of unfinished lines, as they are. What a
   * container writes last need not end with a newline.
   */
  end(): Uint8Array {
    const out: Uint8Array[] = [];
    this.#takeRest(out);
    for (const line of this.#unfinished.values()) out.push(...line.pieces);
    this.#unfinished.clear();
    return joined(out);
  }

  #takeRest(out: Uint8Array[]): void {
    if (this.#rest.length > 0) this.#take(this.#rest, out);
    this.#rest = new Uint8Array();
  }

  #take(line: Uint8Array, out: Uint8Array[]): void {
    const header = logHeader(line);
    if (header === undefined) {
      // Better an odd line than a lost one.
      out.push(line, LINE_END);
      return;
    }
    if (!this.#isChosen(header)) return;
    const text = line.subarray(header.lengthBytes);
    const before = this.#unfinished.get(header.stream);
    const pieces = before?.pieces ?? this.#prefix(header);
    if (header.part === "end") {
      out.push(...pieces, text, LINE_END);
      this.#unfinished.delete(header.stream);
      return;
    }
    // A copy, or one small piece would keep its whole block alive.
    pieces.push(text.slice());
    const costBytes = (before?.costBytes ?? 0) + text.length + PIECE_BYTES;
    if (costBytes <= MOST_KEPT_BYTES) {
      this.#unfinished.set(header.stream, { pieces, costBytes });
    } else {
      out.push(...pieces);
      this.#unfinished.set(header.stream, { pieces: [], costBytes: 0 });
    }
  }

  #isChosen({ stream, timestamp }: LogHeader): boolean {
    const { since, stream: wanted } = this.#choice;
    if (wanted !== undefined && wanted !== stream) return false;
    if (since === undefined) return true;
    const at = nanosecondsOf(timestamp);
    return at === undefined || at >= since;
  }

  #prefix({ timestamp }: LogHeader): Uint8Array[] {
    return this.#choice.timestamps === "shown"
      ? [new TextEncoder().encode(`${fixed(timestamp)} `)]
      : [];
  }
}

const TIME =
  /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/;

/** Epoch nanoseconds of an RFC 3339 time; undefined when it is none. */
export function nanosecondsOf(time: string): bigint | undefined {
  const [, seconds = "", fraction = "", zone = ""] = TIME.exec(time) ?? [];
  const ms = Date.parse(`${seconds}${zone}`);
  if (Number.isNaN(ms)) return undefined;
  return BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, "0"));
}

/** Runtimes leave zeros out. Compat: cri-client 0.36 RFC3339NanoFixed */
function fixed(time: string): string {
  const match = TIME.exec(time);
  if (match === null) return time;
  const [, seconds = "", fraction = "", zone = ""] = match;
  return `${seconds}.${fraction.padEnd(9, "0")}${zone}`;
}
