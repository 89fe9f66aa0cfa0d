/**
 * One direction of two joined connections: bytes pass unchanged, no faster than
 * they are taken. Used by handover.ts. Like `pipe`, but memory is given back at
 * once, and the connection below is held as well.
 */
import type { Duplex } from "node:stream";
import { collectYoung, release } from "../base/young.ts";
import { holdReads, letReads } from "./raw_reads.ts";

/** After so many bytes what a TLS socket leaves behind is worth a look. */
const COLLECT_BYTES = 8 * 1024 * 1024;

/** Ends neither side; a failed write stops it, and the side tells why. */
export function relay(from: Duplex, to: Duplex): void {
  let sinceBytes = 0;
  from.on("data", (chunk: Uint8Array) => {
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
