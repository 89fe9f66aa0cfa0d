/**
 * How many questions of one kind are asked at once, and whose turn is next:
 * every pod has its turn, and none more than its share, so that a pod with
 * many slow probes holds up only itself.
 */
import type { PodUid } from "../api/id.ts";

/** Never rejects. */
type Work = () => Promise<void>;

export class Lane {
  #free: number;
  readonly #share: number;
  /** Pods that wait for a turn, the next one first. */
  readonly #waiting = new Map<PodUid, Work[]>();
  readonly #running = new Map<PodUid, number>();

  /** `most` at once, of one pod at most `share`. */
  constructor(
    { most, share }: { readonly most: number; readonly share: number },
  ) {
    this.#free = most;
    this.#share = share;
  }

  /** Begins now if there is room, else in turn. */
  enter(uid: PodUid, work: Work): void {
    if (this.#free > 0 && this.#mayRun(uid)) {
      this.#begin(uid, work);
      return;
    }
    const queue = this.#waiting.get(uid);
    if (queue === undefined) this.#waiting.set(uid, [work]);
    else queue.push(work);
  }

  #begin(uid: PodUid, work: Work): void {
    this.#free--;
    this.#running.set(uid, (this.#running.get(uid) ?? 0) + 1);
    const end = () => {
      this.#free++;
      const left = (this.#running.get(uid) ?? 1) - 1;
      if (left === 0) this.#running.delete(uid);
      else this.#running.set(uid, left);
      this.#next();
    };
    void work().then(end);
  }

  #next(): void {
    for (const [uid, queue] of this.#waiting) {
      if (this.#free === 0) return;
      if (!this.#mayRun(uid)) continue;
      const work = queue.shift();
      // To the end of the line, if it waits for more.
      this.#waiting.delete(uid);
      if (queue.length > 0) this.#waiting.set(uid, queue);
      if (work === undefined) continue;
      this.#begin(uid, work);
      return;
    }
  }

  #mayRun(uid: PodUid): boolean {
    return (this.#running.get(uid) ?? 0) < this.#share;
  }
}
