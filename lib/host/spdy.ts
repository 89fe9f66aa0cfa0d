/**
 * The client's side of SPDY/3.1, as far as streams of the CRI use it: streams
 * are opened, written and ended; what the other side says of them is read piece
 * by piece. Headers go uncompressed in their zlib stream, and those of replies
 * are not looked at. Pure; used by remote_command.ts.
 */
import { joined } from "../base/bytes.ts";
import { FrameCutter } from "./frames.ts";

const CONTROL = 0x80;
const VERSION = 3;
const TYPE = { synStream: 1, rstStream: 3, ping: 6, goAway: 7 } as const;
const FIN = 1;
const HEAD_BYTES = 8;
const MOST_CONTROL_BYTES = 1024;
/** zlib's own head; there is one such stream in a connection. */
const ZLIB_HEAD = Uint8Array.of(0x78, 0x01);
/** An empty block: readers wait for the next one before they tell of the last. */
const FLUSH = Uint8Array.of(0, 0, 0, 0xff, 0xff);

export class SpdyWriter {
  #hasBegun = false;
  #nextId = 1;

  /** The frame that opens a stream, and the stream's id. */
  open(headers: Readonly<Record<string, string>>): {
    readonly id: number;
    readonly frame: Uint8Array;
  } {
    const id = this.#nextId;
    this.#nextId += 2;
    const block = stored(headerBlock(headers));
    const packed = this.#hasBegun ? block : joined([ZLIB_HEAD, block]);
    this.#hasBegun = true;
    const body = new Uint8Array(10 + packed.length);
    new DataView(body.buffer).setUint32(0, id);
    body.set(packed, 10);
    return { id, frame: controlFrame(TYPE.synStream, body) };
  }
}

/** `last`: nothing more will be said in this stream by us. */
export function spdyData(
  id: number,
  bytes: Uint8Array,
  which: "more" | "last",
): Uint8Array {
  const frame = new Uint8Array(HEAD_BYTES + bytes.length);
  const view = new DataView(frame.buffer);
  view.setUint32(0, id);
  view.setUint32(4, bytes.length);
  if (which === "last") frame[4] = FIN;
  frame.set(bytes, HEAD_BYTES);
  return frame;
}

/** To be sent back as it came. */
export function spdyPing(bytes: Uint8Array): Uint8Array {
  return controlFrame(TYPE.ping, bytes);
}

export type SpdyPiece =
  | { readonly kind: "data"; readonly id: number; readonly bytes: Uint8Array }
  /** The other side says nothing more in it. */
  | { readonly kind: "end"; readonly id: number }
  | { readonly kind: "ping"; readonly bytes: Uint8Array }
  | { readonly kind: "away" };

interface Frame {
  /** Undefined: data. */
  readonly type: number | undefined;
  readonly id: number;
  readonly isLast: boolean;
  left: number;
}

export class SpdyReader {
  readonly #frames = new FrameCutter(frameIn);
  #control: Uint8Array[] = [];

  /** Throws when the other side speaks something else. */
  *read(chunk: Uint8Array): Generator<SpdyPiece> {
    for (const [frame, part] of this.#frames.cut(chunk)) {
      yield* this.#pieces(frame, part);
    }
  }

  *#pieces(frame: Frame, part: Uint8Array): Generator<SpdyPiece> {
    const { type, id, isLast, left } = frame;
    if (type === undefined) {
      if (part.length > 0) yield { kind: "data", id, bytes: part };
      if (left === 0 && isLast) yield { kind: "end", id };
      return;
    }
    this.#control.push(new Uint8Array(part.subarray(0, MOST_CONTROL_BYTES)));
    if (left > 0) return;
    const bytes = joined(this.#control);
    this.#control = [];
    if (type === TYPE.ping) yield { kind: "ping", bytes };
    if (type === TYPE.goAway) yield { kind: "away" };
    const isReset = type === TYPE.rstStream && bytes.length >= 4;
    if (!isReset && !isLast) return;
    if (bytes.length < 4) return;
    const named = new DataView(bytes.buffer).getUint32(0) & 0x7fffffff;
    yield { kind: "end", id: named };
  }
}

function frameIn(head: Uint8Array) {
  if (head.length < HEAD_BYTES) return undefined;
  const view = new DataView(head.buffer, head.byteOffset, HEAD_BYTES);
  const isControl = (view.getUint8(0) & CONTROL) !== 0;
  if (isControl && (view.getUint16(0) & 0x7fff) !== VERSION) {
    throw new Error("The runtime's server does not speak SPDY/3.1");
  }
  const frame: Frame = {
    type: isControl ? view.getUint16(2) : undefined,
    id: isControl ? 0 : view.getUint32(0),
    isLast: (view.getUint8(4) & FIN) !== 0,
    left: view.getUint32(4) & 0xffffff,
  };
  return { frame, headBytes: HEAD_BYTES };
}

function controlFrame(type: number, body: Uint8Array): Uint8Array {
  const frame = new Uint8Array(HEAD_BYTES + body.length);
  const view = new DataView(frame.buffer);
  view.setUint16(0, (CONTROL << 8) | VERSION);
  view.setUint16(2, type);
  view.setUint32(4, body.length);
  frame.set(body, HEAD_BYTES);
  return frame;
}

function headerBlock(headers: Readonly<Record<string, string>>): Uint8Array {
  const pairs = Object.entries(headers);
  return joined([
    uint32(pairs.length),
    ...pairs.flat().flatMap((text) => {
      const bytes = new TextEncoder().encode(text);
      return [uint32(bytes.length), bytes];
    }),
  ]);
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** A block of deflate that is not compressed, and the end of a header block. */
function stored(bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  const head = Uint8Array.of(
    ...[0, length & 0xff, length >> 8, ~length & 0xff, (~length >> 8) & 0xff],
  );
  return joined([head, bytes, FLUSH]);
}
