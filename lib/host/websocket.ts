/**
 * The server's side of RFC 6455: the handshake's key, frames that come masked
 * and go plain. Reads piece by piece and keeps no message whole. Pure but for
 * the hash; used by the stream translators.
 */
import { createHash } from "node:crypto";
import { joined } from "../base/bytes.ts";
import { FrameCutter } from "./frames.ts";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const OPCODE = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
/** Of a control frame. */
const MOST_CONTROL_BYTES = 125;

/** `Sec-WebSocket-Accept`. */
export function acceptOf(key: string): string {
  return createHash("sha1").update(key + GUID).digest("base64");
}

/** A part of a message, or a whole control frame. */
export type Piece =
  | {
    readonly kind: "data";
    /** The first bytes of a message. */
    readonly isStart: boolean;
    readonly bytes: Uint8Array;
  }
  | { readonly kind: "ping" | "close"; readonly bytes: Uint8Array };

interface Frame {
  readonly opcode: number;
  readonly mask: Uint8Array;
  /** How many bytes of it are unmasked. */
  done: number;
  left: number;
  isStart: boolean;
}

export class WebSocketReader {
  readonly #frames = new FrameCutter(frameIn);
  #control: Uint8Array[] = [];

  /** Unmasks in place. Throws when a client breaks the protocol. */
  *read(chunk: Uint8Array): Generator<Piece> {
    for (const [frame, part] of this.#frames.cut(chunk)) {
      unmask(part, frame);
      yield* this.#pieces(frame, part);
    }
  }

  *#pieces(frame: Frame, part: Uint8Array): Generator<Piece> {
    const { opcode, isStart } = frame;
    if (opcode < OPCODE.close) {
      if (part.length === 0) return;
      frame.isStart = false;
      return yield { kind: "data", isStart, bytes: part };
    }
    this.#control.push(new Uint8Array(part));
    if (frame.left > 0) return;
    const bytes = joined(this.#control);
    this.#control = [];
    if (opcode === OPCODE.ping) yield { kind: "ping", bytes };
    if (opcode === OPCODE.close) yield { kind: "close", bytes };
  }
}

function frameIn(bytes: Uint8Array) {
  const [first, second] = bytes;
  if (first === undefined || second === undefined) return undefined;
  if ((second & 0x80) === 0) throw new Error("A client's frame has no mask");
  const short = second & 0x7f;
  const more = short === 126 ? 2 : short === 127 ? 8 : 0;
  const headBytes = 2 + more + 4;
  if (bytes.length < headBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = more === 0
    ? short
    : more === 2
    ? view.getUint16(2)
    : Number(view.getBigUint64(2));
  const opcode = first & 0x0f;
  if (opcode >= OPCODE.close && length > MOST_CONTROL_BYTES) {
    throw new Error("A client's control frame is too long");
  }
  // A copy, which a Buffer's `slice` is not: the chunk is freed before its end.
  const mask = new Uint8Array(bytes.subarray(headBytes - 4, headBytes));
  // Zero goes on with the message before.
  const isStart = opcode !== 0;
  const frame: Frame = { opcode, mask, done: 0, left: length, isStart };
  return { frame, headBytes };
}

function unmask(part: Uint8Array, frame: Frame): void {
  const { mask, done } = frame;
  for (let at = 0; at < part.length; at++) {
    part[at] = (part[at] ?? 0) ^ (mask[(done + at) & 3] ?? 0);
  }
  frame.done += part.length;
}

/** One whole binary message of these parts. */
export function binaryFrame(...parts: readonly Uint8Array[]): Uint8Array {
  return frameOf(OPCODE.binary, parts);
}

export function pongFrame(ping: Uint8Array): Uint8Array {
  return frameOf(OPCODE.pong, [ping]);
}

/** `code` 1000: all is said. */
export function closeFrame(code: number): Uint8Array {
  return frameOf(OPCODE.close, [Uint8Array.of(code >> 8, code & 0xff)]);
}

function frameOf(opcode: number, parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const more = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const head = new Uint8Array(2 + more);
  const view = new DataView(head.buffer);
  head[0] = 0x80 | opcode;
  head[1] = more === 0 ? length : more === 2 ? 126 : 127;
  if (more === 2) view.setUint16(2, length);
  if (more === 8) view.setBigUint64(2, BigInt(length));
  return joined([head, ...parts]);
}
