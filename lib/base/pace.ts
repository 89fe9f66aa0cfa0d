/**
 * Keeps long work from holding up everybody else: whoever has much to do takes
 * a step, asks, and goes on when the others have had their turn.
 */
import type { Clock } from "./clock.ts";

/** One turn; everything else that waits is as long late at most. */
const TURN_MS = 5;

export class Pace {
  readonly #clock: Clock;
  readonly #turnMs: number;
  readonly #never = new AbortController().signal;
  #sinceMs: number;

  constructor(clock: Clock, turnMs = TURN_MS) {
    this.#clock = clock;
    this.#turnMs = turnMs;
    this.#sinceMs = clock.monotonicMs();
  }

  /** True when it is time for the others; asking costs next to nothing. */
  get isOver(): boolean {
    return this.#clock.monotonicMs() - this.#sinceMs >= this.#turnMs;
  }

  /**
   * Lets the others go first when it is their turn. Rejects when `signal` is
   * aborted meanwhile; without one it never does.
   */
  async step(signal?: AbortSignal): Promise<void> {
    if (!this.isOver) return;
    await this.#clock.sleep(0, signal ?? this.#never);
    this.#sinceMs = this.#clock.monotonicMs();
  }
}

/** Texts as chunks of bytes, made only as fast as they are read. */
export async function* paced(
  texts: Iterable<string>,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const encoder = new TextEncoder();
  const pace = new Pace(clock);
  for (const text of texts) {
    if (text !== "") yield encoder.encode(text);
    await pace.step(signal);
  }
}
