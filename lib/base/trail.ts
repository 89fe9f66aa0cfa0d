/**
 * What ran lately on the one thread there is, so that a stall of it has a
 * name. Whoever begins something that may take long notes it; costs a write
 * into a ring.
 */
import type { Clock } from "./clock.ts";

const KEPT = 256;

export interface Stretch {
  readonly what: string;
  /** From its beginning until something else began. */
  readonly ms: number;
}

export class Trail {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #notes: { what: string; atMs: number }[] = [];
  #next = 0;

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  /** Something begins now; what was before it is over. */
  note(what: string): void {
    this.#notes[this.#next] = { what, atMs: this.#clock.monotonicMs() };
    this.#next = (this.#next + 1) % KEPT;
  }

  /**
   * What took most of the time between two moments, monotonic milliseconds;
   * undefined when nobody noted anything.
   */
  longest(fromMs: number, toMs: number): Stretch | undefined {
    let longest: Stretch | undefined;
    let endMs = toMs;
    // Newest first: each ends where the one after it began.
    for (let back = 1; back <= this.#notes.length; back++) {
      const note = this.#notes[(this.#next - back + KEPT) % KEPT];
      if (note === undefined) break;
      if (note.atMs > toMs) continue;
      const ms = endMs - Math.max(note.atMs, fromMs);
      if (longest === undefined || ms > longest.ms) {
        longest = { what: note.what, ms };
      }
      endMs = note.atMs;
      if (note.atMs <= fromMs) break;
    }
    return longest;
  }
}
