/**
 * What is due when: one heap for all probes, so that one timer does. What is
 * no longer due then is left in it and skipped when its time comes.
 */

/** Something with a time of its own. */
export interface Timed {
  /** Monotonic milliseconds; undefined: not due at all. */
  dueMs: number | undefined;
}

interface Slot<T> {
  readonly atMs: number;
  readonly item: T;
}

export class Timetable<T extends Timed> {
  #heap: Slot<T>[] = [];

  /** Sets when `item` is due; the time before counts no more. */
  set(item: T, dueMs: number | undefined): void {
    if (item.dueMs === dueMs) return;
    item.dueMs = dueMs;
    if (dueMs === undefined) return;
    this.#heap.push({ atMs: dueMs, item });
    this.#rise(this.#heap.length - 1);
  }

  /** When the first item is due; undefined: none is. */
  get nextMs(): number | undefined {
    for (;;) {
      const [first] = this.#heap;
      if (first === undefined) return undefined;
      if (first.item.dueMs === first.atMs) return first.atMs;
      this.#shift();
    }
  }

  /** Takes the first item that is due by `nowMs`, which then is not. */
  take(nowMs: number): { item: T; dueMs: number } | undefined {
    const nextMs = this.nextMs;
    if (nextMs === undefined || nextMs > nowMs) return undefined;
    const first = this.#shift();
    if (first === undefined) return undefined;
    first.item.dueMs = undefined;
    return { item: first.item, dueMs: first.atMs };
  }

  #shift(): Slot<T> | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (last !== undefined && this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#sink();
    }
    return first;
  }

  #rise(from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#swapIfLater(parent, at)) return;
      at = parent;
    }
  }

  #sink(): void {
    for (let at = 0;;) {
      const left = 2 * at + 1;
      const right = left + 1;
      const child = this.#isBefore(right, left) ? right : left;
      if (!this.#swapIfLater(at, child)) return;
      at = child;
    }
  }

  #isBefore(one: number, other: number): boolean {
    const [a, b] = [this.#heap[one], this.#heap[other]];
    return a !== undefined && (b === undefined || a.atMs < b.atMs);
  }

  #swapIfLater(upper: number, lower: number): boolean {
    const [a, b] = [this.#heap[upper], this.#heap[lower]];
    if (a === undefined || b === undefined || a.atMs <= b.atMs) return false;
    this.#heap[upper] = b;
    this.#heap[lower] = a;
    return true;
  }
}
