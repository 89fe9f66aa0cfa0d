/**
 * The server's side of RFC 6455: the handshake's key, frames that come masked
 * and go plain. Reads piece by piece and keeps no message whole. Pure but for
 * the hash; used by the stream translators.
 */
import { createHash } from "node:crypto";
import { joined } from "../base/bytes.ts";

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
  readonly length: number;
  done: number;
  isStart: boolean;
}

export class WebSocketReader {
  #head = new Uint8Array();
  #frame: Frame | undefined;
  #control: Uint8Array[] = [];

  /** Unmasks in place. Throws when a client breaks the protocol. */
  *read(chunk: Uint8Array): Generator<Piece> {
    let rest = chunk;
    for (;;) {
      if (this.#frame === undefined) {
        const head = this.#head.length === 0
          ? rest
          : joined([this.#head, rest]);
        const found = frameIn(head);
        // A copy: the chunk is somebody else's soon.
        this.#head = new Uint8Array(found === undefined ? head : []);
        if (found === undefined) return;
        this.#frame = found.frame;
        rest = head.subarray(found.lengthBytes);
      }
      const frame = this.#frame;
      const part = rest.subarray(0, frame.length - frame.done);
      rest = rest.subarray(part.length);
      unmask(part, frame);
      yield* this.#pieces(frame, part);
      if (frame.done < frame.length) return;
      this.#frame = undefined;
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
    if (frame.done < frame.length) return;
    const bytes = joined(this.#control);
    this.#control = [];
    if (opcode === OPCODE.ping) yield { kind: "ping", bytes };
    if (opcode === OPCODE.close) yield { kind: "close", bytes };
  }
}

function frameIn(
  bytes: Uint8Array,
): { readonly frame: Frame; readonly lengthBytes: number } | undefined {
  const [first, second] = bytes;
  if (first === undefined || second === undefined) return undefined;
  if ((second & 0x80) === 0) throw new Error("A client's frame has no mask");
  const short = second & 0x7f;
  const more = short === 126 ? 2 : short === 127 ? 8 : 0;
  const lengthBytes = 2 + more + 4;
  if (bytes.length < lengthBytes) return undefined;
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
  const mask = new Uint8Array(bytes.subarray(lengthBytes - 4, lengthBytes));
  // Zero goes on with the message before.
  const isStart = opcode !== 0;
  return { frame: { opcode, mask, length, done: 0, isStart }, lengthBytes };
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
  const frame = new Uint8Array(2 + more + length);
  const view = new DataView(frame.buffer);
  frame[0] = 0x80 | opcode;
  frame[1] = more === 0 ? length : more === 2 ? 126 : 127;
  if (more === 2) view.setUint16(2, length);
  if (more === 8) view.setBigUint64(2, BigInt(length));
  let at = 2 + more;
  for (const part of parts) {
    frame.set(part, at);
    at += part.length;
  }
  return frame;
}
