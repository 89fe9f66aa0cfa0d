/**
 * One direction of two joined connections: bytes pass unchanged, no faster than
 * they are taken. Used by handover.ts. Like `pipe`, but memory is given back at
 * once: to the collector each chunk is a small object, so it would let
 * thousands of them lie, with 64 KiB behind each.
 */
import type { Duplex } from "node:stream";
import { holdReads, letReads } from "./raw_reads.ts";

/** After so many bytes what a TLS socket leaves behind is worth a look. */
const COLLECT_BYTES = 8 * 1024 * 1024;

/** Ends neither side; a failed write stops it, and the side tells why. */
export function relay(from: Duplex, to: Duplex): void {
  let sinceBytes = 0;
  from.on("data", (chunk: Uint8Array<ArrayBuffer>) => {
    from.pause();
    holdReads(from);
    sinceBytes += chunk.length;
    to.write(chunk, (error) => {
      release(chunk);
      if (sinceBytes >= COLLECT_BYTES) {
        sinceBytes = 0;
        collectYoung();
      }
      if (error) return;
      letReads(from);
      from.resume();
    });
  });
}

/** Only what is all of its memory: a part of a pool has neighbours. */
function release({ buffer, byteLength }: Uint8Array<ArrayBuffer>): void {
  if (buffer.byteLength === byteLength) buffer.transfer(0);
}

/** A quarter of a millisecond; nothing where V8 does not offer it. */
function collectYoung(): void {
  const gc: unknown = Reflect.get(globalThis, "gc");
  if (typeof gc === "function") gc({ type: "minor" });
}
