/**
 * One direction of two joined connections: bytes pass, unchanged or as a
 * translator says, no faster than they are taken. Used by handover.ts. Like
 * `pipe`, but memory is given back at once, and the connection below is held.
 */
import type { Duplex } from "node:stream";
import { joined } from "../base/bytes.ts";
import { collectYoung, release } from "../base/young.ts";
import { holdReads, letReads } from "./raw_reads.ts";

/** After so many bytes what a TLS socket leaves behind is worth a look. */
const COLLECT_BYTES = 8 * 1024 * 1024;
/** Read and not yet written: more is left with who says it. */
const UNDER_WAY_BYTES = 128 * 1024;

/** What becomes of some bytes. */
export interface Passed {
  /** For the other side. */
  readonly on: readonly Uint8Array[];
  /** For the side that they came from. */
  readonly back: readonly Uint8Array[];
  /** Nothing more is to be said after that. */
  readonly isOver?: boolean;
}

/** Between two sides that speak different protocols. */
export interface Translator {
  /** Said first: `on` to the runtime, `back` to the caller. */
  begin(): Passed;
  /** May change `chunk`. Throws when a caller breaks its protocol. */
  fromCaller(chunk: Uint8Array): Passed;
  fromRuntime(chunk: Uint8Array): Passed;
  /** Said to the caller last. */
  end(): readonly Uint8Array[];
}

export interface Passing {
  readonly pass: (chunk: Uint8Array) => Passed;
  readonly over: () => void;
}

/**
 * Ends neither side, but for one that breaks its protocol; a failed write stops
 * it, and that side tells why. Reading goes on while a little is being written.
 */
export function relay(from: Duplex, to: Duplex, passing?: Passing): void {
  let sinceBytes = 0;
  let underWayBytes = 0;
  let isHeld = false;
  let isOver = false;
  const passOn = async (chunk: Uint8Array) => {
    const { length } = chunk;
    const passed = passing?.pass(chunk) ?? { on: [chunk], back: [] };
    isOver = passed.isOver === true;
    const isWritten = await Promise.all([
      written(to, passed.on),
      written(from, passed.back),
    ]);
    sinceBytes += length;
    release(chunk);
    if (sinceBytes >= COLLECT_BYTES) {
      sinceBytes = 0;
      collectYoung();
    }
    if (passed.isOver) return passing?.over();
    if (isWritten.includes(false)) return;
    underWayBytes -= length;
    if (!isHeld || underWayBytes > UNDER_WAY_BYTES / 2) return;
    isHeld = false;
    letReads(from);
    from.resume();
  };
  from.on("data", (chunk: Uint8Array) => {
    if (isOver) return;
    underWayBytes += chunk.length;
    if (underWayBytes > UNDER_WAY_BYTES && !isHeld) {
      isHeld = true;
      from.pause();
      holdReads(from);
    }
    passOn(chunk).catch(() => from.destroy());
  });
}

/** False when the side takes nothing any more. */
export function written(
  side: Duplex,
  parts: readonly Uint8Array[],
): Promise<boolean> {
  const [first, ...more] = parts;
  if (first === undefined) return Promise.resolve(true);
  const bytes = more.length === 0 ? first : joined(parts);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  side.write(bytes, (error) => resolve(!error));
  return promise;
}
