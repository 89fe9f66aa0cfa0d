/**
 * `v5.channel.k8s.io` on the caller's side, `v4.channel.k8s.io` over SPDY on
 * the runtime's: a message's first byte names its channel, each channel is a
 * stream. 255 and a channel ends one, which SPDY has and older WebSockets have
 * not. Pure; called by handover.ts.
 * Compat: kubelet 1.36 ExtendWebSocketsToKubelet, StreamTranslatorHandler.
 */
import type { CommandStreams } from "../port/node_server.ts";
import type { Passed, Translator } from "./relay.ts";
import { spdyData, spdyPing, SpdyReader, SpdyWriter } from "./spdy.ts";
import {
  binaryFrame,
  closeFrame,
  pongFrame,
  WebSocketReader,
} from "./websocket.ts";

const CHANNEL = {
  stdin: 0,
  stdout: 1,
  stderr: 2,
  error: 3,
  resize: 4,
} as const;
type Stream = keyof typeof CHANNEL;
/** Instead of a channel: the next byte is a channel that ends. */
const END = 255;
const NORMAL = 1000;

export class RemoteCommand implements Translator {
  readonly #streams: CommandStreams;
  readonly #websocket = new WebSocketReader();
  readonly #spdy = new SpdyReader();
  readonly #idOf = new Map<number, number>();
  readonly #channelOf = new Map<number, number>();
  /** Those of which the end is waited for. */
  readonly #speaking = new Set<number>();
  #channel: number | undefined;
  #hasStatus = false;
  #isClosed = false;

  constructor(streams: CommandStreams) {
    this.#streams = streams;
  }

  begin(): Passed {
    const { hasStdin, hasStdout, hasStderr, hasTty } = this.#streams;
    const wanted: readonly (readonly [Stream, boolean])[] = [
      ["error", true],
      ["stdin", hasStdin],
      ["stdout", hasStdout],
      ["stderr", hasStderr],
      ["resize", hasTty],
    ];
    const writer = new SpdyWriter();
    const on: Uint8Array[] = [];
    for (const [name, isWanted] of wanted) {
      if (!isWanted) continue;
      const { id, frame } = writer.open({ streamtype: name });
      on.push(frame);
      this.#idOf.set(CHANNEL[name], id);
      this.#channelOf.set(id, CHANNEL[name]);
      if (name !== "stdin" && name !== "resize") this.#speaking.add(id);
    }
    // Compat: tells the caller that it may begin.
    const first = hasStdout ? "stdout" : hasStderr ? "stderr" : "error";
    return { on, back: [binaryFrame(Uint8Array.of(CHANNEL[first]))] };
  }

  fromCaller(chunk: Uint8Array): Passed {
    const on: Uint8Array[] = [];
    const back: Uint8Array[] = [];
    for (const piece of this.#websocket.read(chunk)) {
      if (piece.kind === "data") on.push(...this.#told(piece));
      else if (piece.kind === "ping") back.push(pongFrame(piece.bytes));
      else this.#isClosed = true;
    }
    return { on, back, isOver: this.#isClosed };
  }

  /** What a part of a message is for the runtime. */
  *#told(
    piece: { readonly isStart: boolean; readonly bytes: Uint8Array },
  ): Generator<Uint8Array> {
    let { bytes } = piece;
    if (piece.isStart) {
      this.#channel = bytes[0];
      bytes = bytes.subarray(1);
    }
    if (bytes.length === 0) return;
    if (this.#channel === END) {
      const id = this.#writable(bytes[0]);
      if (id !== undefined) yield spdyData(id, new Uint8Array(), "last");
      return;
    }
    const id = this.#writable(this.#channel);
    if (id !== undefined) yield spdyData(id, bytes, "more");
  }

  /** What is said in a channel that nobody wanted is not passed on. */
  #writable(channel: number | undefined): number | undefined {
    return channel === CHANNEL.stdin || channel === CHANNEL.resize
      ? this.#idOf.get(channel)
      : undefined;
  }

  fromRuntime(chunk: Uint8Array): Passed {
    const on: Uint8Array[] = [];
    const back: Uint8Array[] = [];
    for (const piece of this.#spdy.read(chunk)) {
      switch (piece.kind) {
        case "data": {
          const channel = this.#channelOf.get(piece.id);
          if (channel === undefined) break;
          this.#hasStatus ||= channel === CHANNEL.error;
          on.push(binaryFrame(Uint8Array.of(channel), piece.bytes));
          break;
        }
        case "end":
          this.#speaking.delete(piece.id);
          break;
        case "ping":
          back.push(spdyPing(piece.bytes));
          break;
        case "away":
          this.#speaking.clear();
      }
    }
    // Compat: the command is over when it has said all, its status included.
    return { on, back, isOver: this.#speaking.size === 0 };
  }

  end(): readonly Uint8Array[] {
    if (this.#hasStatus || this.#isClosed) return [closeFrame(NORMAL)];
    const message = "The runtime's server ended the stream";
    const status = {
      ...FAILED,
      message: `Internal error occurred: ${message}`,
    };
    const bytes = new TextEncoder().encode(JSON.stringify(status));
    const told = binaryFrame(Uint8Array.of(CHANNEL.error), bytes);
    return [told, closeFrame(NORMAL)];
  }
}

const FAILED = {
  metadata: {},
  status: "Failure",
  reason: "InternalError",
  code: 500,
} as const;
