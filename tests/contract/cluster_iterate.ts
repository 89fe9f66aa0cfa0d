/** News one by one; a test names what it waits for. */
import assert from "node:assert/strict";

export function iterate<T extends object | undefined>(
  news: AsyncIterable<T>,
) {
  const iterator = news[Symbol.asyncIterator]();
  const next = async (): Promise<T> => {
    const { value, done } = await iterator.next();
    assert.notEqual(done, true, "the watch ended");
    return value;
  };
  return {
    next,
    until: async (isIt: (news: T) => boolean): Promise<T> => {
      for (;;) {
        const found = await next();
        if (isIt(found)) return found;
      }
    },
    close: async () => await iterator.return?.(),
  };
}
