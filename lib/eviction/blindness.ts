/**
 * Which needs of the node are not known, and since when. Nobody is evicted for
 * what is not known; it is told in the log at once, and by the node's
 * conditions once it lasts. Belongs to `watch.ts`.
 */
import type { Logger } from "../base/log.ts";
import type { Signal } from "../api/eviction_signal.ts";
import { pressureOf } from "./thresholds.ts";
import type { PressureKind, Threshold } from "./types.ts";

/** Two rounds: a runtime that starts anew is no news. */
const LASTING_MS = 20_000;

export class Blindness {
  readonly #log: Logger;
  #told = "";
  #kinds: ReadonlyMap<
    PressureKind,
    { readonly sinceMs: number; readonly what: string }
  > = new Map();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** `unknown`: of each signal, why; those that nobody asks for are skipped. */
  see(
    thresholds: readonly Threshold[],
    unknown: ReadonlyMap<Signal, string>,
    monotonicMs: number,
  ): void {
    const asked = new Set(thresholds.map(({ signal }) => signal));
    const missed = [...unknown].filter(([signal]) => asked.has(signal));
    const before = this.#kinds;
    this.#kinds = new Map(missed.map(([signal]) => {
      const kind = pressureOf(signal);
      const what = missed.filter(([other]) => pressureOf(other) === kind)
        .map(([other, why]) => `${other} ${why}`).join("; ");
      const sinceMs = before.get(kind)?.sinceMs ?? monotonicMs;
      return [kind, { sinceMs, what }];
    }));
    this.#tell(missed.map(([signal, why]) => `${signal} ${why}`).join("; "));
  }

  lasting(monotonicMs: number): ReadonlyMap<PressureKind, string> {
    return new Map(
      [...this.#kinds].filter(([, { sinceMs }]) =>
        monotonicMs - sinceMs >= LASTING_MS
      ).map(([kind, { what }]) => [kind, what]),
    );
  }

  #tell(told: string): void {
    if (told !== "" && told !== this.#told) {
      this.#log.warn("What cannot be measured is ignored", { measures: told });
    }
    this.#told = told;
  }
}
