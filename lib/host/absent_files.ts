/**
 * Remembers which files a kind of cgroup lacks, so that they are not asked for
 * again and again: a file that is not there costs twenty times one that is.
 * Forgets after a while, as controllers may be switched on. Used by usage.ts.
 */
const FORGET_MS = 60_000;

export class AbsentFiles {
  readonly #nowMs: () => number;
  #sinceMs = -Infinity;
  readonly #absent = new Map<string, Set<string>>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /**
   * Runs `work` with a reader that skips what is known to be absent. What was
   * found missing is remembered only when `work` finds the cgroup itself.
   */
  reading<T>(
    kind: string,
    read: (name: string) => string | undefined,
    work: (read: (name: string) => string | undefined) => T | undefined,
  ): T | undefined {
    const known = this.#known(kind);
    const missing: string[] = [];
    const found = work((name) => {
      if (known.has(name)) return undefined;
      const text = read(name);
      if (text === undefined) missing.push(name);
      return text;
    });
    if (found !== undefined) { for (const name of missing) known.add(name); }
    return found;
  }

  #known(kind: string): Set<string> {
    const nowMs = this.#nowMs();
    if (Math.abs(nowMs - this.#sinceMs) > FORGET_MS) {
      this.#absent.clear();
      this.#sinceMs = nowMs;
    }
    const known = this.#absent.get(kind) ?? new Set<string>();
    this.#absent.set(kind, known);
    return known;
  }
}
