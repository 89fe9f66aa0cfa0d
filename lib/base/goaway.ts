/**
 * Keeps GOAWAY frames away from Deno's HTTP/2. Deno 2.9.6 frees a session
 * while nghttp2 still reads the frame that ended it (denoland/deno#36788): the
 * process dies past any catch, or goes on with memory that is not its own. So
 * a peer's goodbye, which a pod's own server may say to a probe, ends the
 * connection instead: what is under way on it fails, and callers connect anew.
 * To be removed when Deno is repaired; tests/contract/goaway_test.ts tells.
 */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";

const GOAWAY = 7;
const HEADER_BYTES = 9;
const TYPE_AT = 3;

/** What a client sends before its first frame; RFC 9113, section 3.4. */
export const PREFACE_BYTES = 24;

/** Follows the frames in what a peer sends; RFC 9113, section 4.1. */
export class FrameScanner {
  #payloadLeft: number;
  #headerSeen = 0;
  #length = 0;

  /** `bytesBefore` come before the first frame. */
  constructor(bytesBefore = 0) {
    this.#payloadLeft = bytesBefore;
  }

  /** Where in `chunk` a GOAWAY frame shows itself; -1 when nowhere. */
  findGoaway(chunk: Uint8Array): number {
    let offset = 0;
    while (offset < chunk.length) {
      if (this.#payloadLeft > 0) {
        const skipped = Math.min(this.#payloadLeft, chunk.length - offset);
        this.#payloadLeft -= skipped;
        offset += skipped;
        continue;
      }
      const byte = chunk[offset] ?? 0;
      if (this.#headerSeen < TYPE_AT) {
        this.#length = this.#length * 256 + byte;
      } else if (this.#headerSeen === TYPE_AT && byte === GOAWAY) {
        return offset;
      }
      this.#headerSeen++;
      offset++;
      if (this.#headerSeen === HEADER_BYTES) {
        this.#payloadLeft = this.#length;
        this.#headerSeen = 0;
        this.#length = 0;
      }
    }
    return -1;
  }
}

/**
 * A stream that passes on what `socket` does, up to a GOAWAY frame. Any
 * session of HTTP/2 is made on one of these, in clear text or over TLS.
 */
export function untilGoaway(socket: Socket, bytesBefore = 0): Duplex {
  const scanner = new FrameScanner(bytesBefore);
  let isOver = false;
  const stream = new Duplex({
    read: () => void socket.resume(),
    write: (chunk: Buffer, _encoding, done) => void socket.write(chunk, done),
    writev: (chunks, done) => {
      const buffers = chunks.map(({ chunk }) => chunk);
      void socket.write(Buffer.concat(buffers), done);
    },
    final: (done) => void socket.end(done),
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  socket.on("data", (chunk: Buffer) => {
    if (isOver) return;
    const at = scanner.findGoaway(chunk);
    isOver = at >= 0;
    const passed = isOver
      ? chunk.subarray(0, Math.max(0, at - TYPE_AT))
      : chunk;
    if (!stream.push(passed)) socket.pause();
    if (isOver) stream.destroy();
  });
  socket.on("end", () => isOver || stream.push(null));
  socket.on("error", (error) => stream.destroy(error));
  socket.on("close", () => stream.destroy());
  // Beside a stream's methods the HTTP/2 session calls these two.
  return Object.assign(stream, {
    ref: () => void socket.ref(),
    unref: () => void socket.unref(),
  });
}
