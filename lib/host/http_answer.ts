/**
 * Reads one HTTP/1.x answer from bytes as they come: status, the headers that
 * matter, and at most so much of the body. Called by pod_net.ts for servers
 * that nobody vouches for, so what is kept is bounded at every point.
 */
import { joined } from "../base/bytes.ts";

/** The next bytes; undefined at the end of the connection. */
export type ReadMore = () => Promise<Uint8Array | undefined>;

export interface AnswerHead {
  readonly status: number;
  readonly location: string | undefined;
  readonly framing:
    | { readonly kind: "length"; readonly bytes: number }
    | { readonly kind: "chunked" }
    | { readonly kind: "until-end" };
}

/** What came is not HTTP, or ended early. The message is Go's. */
export class BrokenAnswer extends Error {
  override readonly name = "BrokenAnswer";
}

const BROKEN = "net/http: HTTP/1.x transport connection broken";
/** Of all headers together. Go bears 10 MiB, which no honest server needs. */
const LONGEST_HEAD_BYTES = 1024 * 1024;
/** Compat: Go's limit for answers before the answer. */
const MOST_INFORMATIONAL = 5;
const NEWLINE = 10;
const NOTHING = new Uint8Array();

/** Bytes of one connection, line by line or as they are. */
export class ByteReader {
  readonly #more: ReadMore;
  #held: Uint8Array = NOTHING;

  constructor(more: ReadMore) {
    this.#more = more;
  }

  /** Whatever comes next, at most `most` bytes; undefined at the end. */
  async some(most: number): Promise<Uint8Array | undefined> {
    if (this.#held.length === 0) {
      const next = await this.#more();
      if (next === undefined) return undefined;
      this.#held = next.slice();
    }
    const taken = this.#held.subarray(0, most);
    this.#held = this.#held.subarray(taken.length);
    return taken;
  }

  /** A line without its end; undefined when the connection ended before. */
  async line(): Promise<string | undefined> {
    const parts: Uint8Array[] = [];
    for (let bytes = 0; bytes <= LONGEST_HEAD_BYTES;) {
      const next = await this.some(LONGEST_HEAD_BYTES);
      if (next === undefined) {
        return parts.length === 0 ? undefined : textOf(parts);
      }
      const end = next.indexOf(NEWLINE);
      if (end >= 0) {
        const rest = next.subarray(end + 1);
        this.#held = this.#held.length === 0
          ? rest
          : joined([rest, this.#held]);
        return textOf([...parts, next.subarray(0, end)]);
      }
      parts.push(next);
      bytes += next.length;
    }
    throw new BrokenAnswer(`${BROKEN}: header line too long`);
  }
}

/** The head of the final answer; those of 1xx before it are skipped. */
export async function readHead(reader: ByteReader): Promise<AnswerHead> {
  let left = LONGEST_HEAD_BYTES;
  for (let count = 0; count <= MOST_INFORMATIONAL && left > 0; count++) {
    const first = await reader.line();
    if (first === undefined) throw new BrokenAnswer("EOF");
    const status = statusOf(first);
    const headers = new Map<string, string>();
    for (;;) {
      const line = await reader.line();
      if (line === undefined) {
        throw new BrokenAnswer(`${BROKEN}: unexpected EOF`);
      }
      left -= line.length + 2;
      if (left < 0) break;
      if (line === "") break;
      keep(headers, line);
    }
    if (left >= 0 && (status >= 200 || status === 101)) {
      return {
        status,
        location: headers.get("location"),
        framing: framingOf(status, headers),
      };
    }
  }
  if (left > 0) {
    throw new BrokenAnswer("net/http: too many 1xx informational responses");
  }
  throw new BrokenAnswer(
    `net/http: server response headers exceeded ${LONGEST_HEAD_BYTES} bytes; ` +
      "aborted",
  );
}

/** The body, cut after `limitBytes`; what follows is left unread. */
export async function readBody(
  reader: ByteReader,
  { framing }: AnswerHead,
  limitBytes: number,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let room = limitBytes;
  const take = async (bytes: number): Promise<number> => {
    const next = await reader.some(Math.min(bytes, room));
    if (next === undefined) return 0;
    parts.push(next);
    room -= next.length;
    return next.length;
  };
  if (framing.kind === "chunked") await readChunks(reader, take, () => room);
  else {
    let left = framing.kind === "length" ? framing.bytes : Infinity;
    while (left > 0 && room > 0) {
      const taken = await take(left);
      if (taken === 0 && framing.kind === "until-end") break;
      if (taken === 0) throw new BrokenAnswer("unexpected EOF");
      left -= taken;
    }
  }
  return joined(parts);
}

async function readChunks(
  reader: ByteReader,
  take: (bytes: number) => Promise<number>,
  room: () => number,
): Promise<void> {
  while (room() > 0) {
    const line = await reader.line();
    if (line === undefined) throw new BrokenAnswer("unexpected EOF");
    const size = /^\s*([0-9a-fA-F]{1,12})\s*(?:;|$)/.exec(line)?.[1];
    if (size === undefined) {
      throw new BrokenAnswer("invalid byte in chunk length");
    }
    let left = Number.parseInt(size, 16);
    if (left === 0) return;
    while (left > 0 && room() > 0) {
      const taken = await take(left);
      if (taken === 0) throw new BrokenAnswer("unexpected EOF");
      left -= taken;
    }
    if (left === 0 && room() > 0) await reader.line();
  }
}

function statusOf(line: string): number {
  const [proto = "", code = ""] = line.split(" ", 2);
  if (!line.includes(" ")) {
    throw new BrokenAnswer(
      `${BROKEN}: malformed HTTP response ${JSON.stringify(line.slice(0, 64))}`,
    );
  }
  if (!/^\d{3}$/.test(code)) {
    throw new BrokenAnswer(
      `${BROKEN}: malformed HTTP status code ` +
        JSON.stringify(code.slice(0, 64)),
    );
  }
  if (!/^HTTP\/\d\.\d$/.test(proto)) {
    throw new BrokenAnswer(
      `${BROKEN}: malformed HTTP version ${JSON.stringify(proto.slice(0, 64))}`,
    );
  }
  return Number(code);
}

const KEPT: ReadonlySet<string> = new Set([
  "content-length",
  "location",
  "transfer-encoding",
]);

function keep(headers: Map<string, string>, line: string): void {
  const colon = line.indexOf(":");
  // A line that goes on with the one before it.
  if (/^[ \t]/.test(line)) return;
  if (colon < 0) {
    throw new BrokenAnswer(
      `${BROKEN}: malformed MIME header: missing colon: ` +
        JSON.stringify(line.slice(0, 64)),
    );
  }
  const name = line.slice(0, colon).trim().toLowerCase();
  if (KEPT.has(name) && !headers.has(name)) {
    headers.set(name, line.slice(colon + 1).trim());
  }
}

function framingOf(
  status: number,
  headers: ReadonlyMap<string, string>,
): AnswerHead["framing"] {
  if (status === 204 || status === 304 || status === 101) {
    return { kind: "length", bytes: 0 };
  }
  const encoding = headers.get("transfer-encoding")?.toLowerCase();
  if (encoding === "chunked") return { kind: "chunked" };
  const length = headers.get("content-length");
  if (length === undefined) return { kind: "until-end" };
  if (!/^\d{1,15}$/.test(length)) {
    throw new BrokenAnswer(
      `${BROKEN}: bad Content-Length ${JSON.stringify(length.slice(0, 64))}`,
    );
  }
  return { kind: "length", bytes: Number(length) };
}

function textOf(parts: readonly Uint8Array[]): string {
  return new TextDecoder("latin1").decode(joined(parts)).replace(/\r$/, "");
}
