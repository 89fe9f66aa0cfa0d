/**
 * Keeps from Deno's HTTP/2 the frames that it dies of. Deno 2.9.6 frees a
 * session while nghttp2 still reads the frame that ended it
 * (denoland/deno#36788): the process dies past any catch, or goes on with
 * memory that is not its own. Two frames end a session at once: GOAWAY, and the
 * answer to a PING that was never sent; any server of a pod can say either to
 * a probe. Both end the connection here instead: what is under way on it
 * fails, and callers connect anew. To be removed when Deno is repaired;
 * tests/contract/http2_guard_test.ts tells.
 */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";

const PING = 6;
const GOAWAY = 7;
const ACK = 1;

const TYPE_AT = 3;
const FLAGS_AT = 4;
const HEADER_BYTES = 9;
/** What a client sends before its first frame; RFC 9113, section 3.4. */
const PREFACE_BYTES = 24;

/** Follows the frames of one direction; RFC 9113, section 4.1. */
export class FrameScanner {
  readonly #isWanted: (type: number, flags: number) => boolean;
  #payloadLeft: number;
  #headerSeen = 0;
  #length = 0;
  #type = 0;

  /** `isWanted` is asked once for each frame, in their order. */
  constructor(
    bytesBefore: number,
    isWanted: (type: number, flags: number) => boolean,
  ) {
    this.#payloadLeft = bytesBefore;
    this.#isWanted = isWanted;
  }

  /**
   * Where in `chunk` the first frame begins that is not wanted, or 0 when it
   * began before it; -1 when there is none. Not to be asked again after that.
   */
  find(chunk: Uint8Array): number {
    let offset = 0;
    while (offset < chunk.length) {
      if (this.#payloadLeft > 0) {
        const skipped = Math.min(this.#payloadLeft, chunk.length - offset);
        this.#payloadLeft -= skipped;
        offset += skipped;
        continue;
      }
      const isLast = !this.#take(chunk[offset] ?? 0);
      if (isLast) return Math.max(0, offset - FLAGS_AT);
      offset++;
    }
    return -1;
  }

  /** One byte of a frame's header; false: the frame is not wanted. */
  #take(byte: number): boolean {
    const at = this.#headerSeen++;
    if (at < TYPE_AT) this.#length = this.#length * 256 + byte;
    else if (at === TYPE_AT) this.#type = byte;
    else if (at === FLAGS_AT) return this.#isWanted(this.#type, byte);
    if (this.#headerSeen === HEADER_BYTES) {
      this.#payloadLeft = this.#length;
      this.#headerSeen = 0;
      this.#length = 0;
    }
    return true;
  }
}

/**
 * A stream that passes on what `socket` does, up to the first frame that must
 * not be read, or to `mostBytes`. Any session of HTTP/2 is made on one of these,
 * in clear text or over TLS; `side` is ours.
 */
export function guardedSocket(
  socket: Socket,
  side: "client" | "server",
  mostBytes = Infinity,
): Duplex {
  let pingsSent = 0;
  let bytesReceived = 0;
  const sent = new FrameScanner(
    side === "client" ? PREFACE_BYTES : 0,
    (type, flags) => {
      if (type === PING && (flags & ACK) === 0) pingsSent++;
      return true;
    },
  );
  const received = new FrameScanner(
    side === "server" ? PREFACE_BYTES : 0,
    (type, flags) => {
      const isPong = type === PING && (flags & ACK) !== 0;
      return type !== GOAWAY && !(isPong && pingsSent-- <= 0);
    },
  );
  const write = (bytes: Buffer, done: (error?: Error | null) => void) => {
    sent.find(bytes);
    socket.write(bytes, done);
  };
  const stream = new Duplex({
    read: () => void socket.resume(),
    write: (chunk: Buffer, _encoding, done) => write(chunk, done),
    writev: (chunks, done) =>
      write(Buffer.concat(chunks.map(({ chunk }) => chunk)), done),
    final: (done) => void socket.end(done),
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  socket.on("data", (chunk: Buffer) => {
    if (stream.destroyed) return;
    bytesReceived += chunk.length;
    if (bytesReceived > mostBytes) {
      return void stream.destroy(
        new Error(`more than ${mostBytes} bytes came`),
      );
    }
    const end = received.find(chunk);
    if (!stream.push(end < 0 ? chunk : chunk.subarray(0, end))) socket.pause();
    if (end >= 0) stream.destroy();
  });
  socket.on("end", () => stream.push(null));
  socket.on("error", (error) => stream.destroy(error));
  socket.on("close", () => stream.destroy());
  // Beside a stream's methods the HTTP/2 session calls these two.
  return Object.assign(stream, {
    ref: () => void socket.ref(),
    unref: () => void socket.unref(),
  });
}
