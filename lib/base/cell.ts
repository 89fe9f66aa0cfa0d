/**
 * A cell holds the latest value of one slice of the store. It has exactly one
 * writer and any number of readers; the types say who is who. Readers never
 * see every intermediate value, only that it changed.
 */

/** The right to replace the value. Hand it to one owner only. */
export interface Writer<T> {
  get(): T;
  set(value: T): void;
}

/** The right to look. */
export interface Reader<T> {
  get(): T;
  /** Yields once for each burst of changes until `signal` aborts. */
  changes(signal: AbortSignal): AsyncIterableIterator<T>;
}

/** Makes a cell; the first of the pair is its only writer. */
export function cell<T>(initial: T): [Writer<T>, Reader<T>] {
  let value = initial;
  let changed = Promise.withResolvers<void>();
  const announce = () => {
    const before = changed;
    changed = Promise.withResolvers<void>();
    before.resolve();
  };
  const writer: Writer<T> = {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      announce();
    },
  };
  const reader: Reader<T> = {
    get: () => value,
    async *changes(signal) {
      // Waking every reader on an abort is cheap; a race with a promise that
      // lives as long as the signal would keep every turn's reaction alive.
      const stop = () => announce();
      signal.addEventListener("abort", stop, { once: true });
      try {
        let seen = value;
        while (!signal.aborted) {
          if (Object.is(seen, value)) {
            await changed.promise;
            continue;
          }
          seen = value;
          yield value;
        }
      } finally {
        signal.removeEventListener("abort", stop);
      }
    },
  };
  return [writer, reader];
}

/** Resolves once the value is as wanted; rejects with the signal's reason. */
export async function until<T>(
  reader: Reader<T>,
  isSo: (value: T) => boolean,
  signal: AbortSignal,
): Promise<void> {
  if (isSo(reader.get())) return;
  for await (const value of reader.changes(signal)) if (isSo(value)) return;
  signal.throwIfAborted();
}
