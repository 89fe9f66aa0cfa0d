/**
 * Keeps GOAWAY frames away from Deno's HTTP/2. Deno 2.9.6 dies inside nghttp2,
 * past any catch, when a server says goodbye with such a frame
 * (denoland/deno#36788); gRPC servers do so when they stop gracefully. Here
 * the connection simply ends instead: calls under way fail as UNAVAILABLE and
 * the channel connects anew. To be removed when Deno is repaired.
 */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import * as grpc from "@grpc/grpc-js";

const GOAWAY = 7;
const HEADER_BYTES = 9;
const TYPE_AT = 3;

/** Follows the frames in what a server sends; RFC 9113, section 4.1. */
export class FrameScanner {
  #payloadLeft = 0;
  #headerSeen = 0;
  #length = 0;

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

/** Plain-text credentials whose connections end on GOAWAY. */
export function guardedCredentials(): grpc.ChannelCredentials {
  const plain = grpc.credentials.createInsecure();
  const connector: typeof plain._createSecureConnector = (...target) => {
    const inner = plain._createSecureConnector(...target);
    // grpc-js says that it wants a socket, but any duplex stream will do.
    return Object.create(inner, {
      connect: {
        value: async (socket: Socket) => {
          const result = await inner.connect(socket);
          return { ...result, socket: guarded(result.socket) };
        },
      },
    });
  };
  // grpc-js asks for an instance of its own class, so this is one, with one
  // method of our own.
  return Object.create(plain, { _createSecureConnector: { value: connector } });
}

/** A stream that passes on what `socket` does, up to a GOAWAY frame. */
function guarded(socket: Socket): Duplex {
  const scanner = new FrameScanner();
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
    if (scanner.findGoaway(chunk) >= 0) stream.destroy();
    else if (!stream.push(chunk)) socket.pause();
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
