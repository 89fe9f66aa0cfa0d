/**
 * Gives the memory of buffers back that V8 would let lie: to the collector a
 * buffer is a small object, whatever lies behind it, so that after a stream of
 * them hundreds of MiB may wait for the next collection.
 */

declare const gc: ((how: { readonly type: "minor" }) => void) | undefined;

/**
 * Collects the young generation: a quarter of a millisecond. Does nothing
 * without `--expose-gc`, which the executable and all tasks have.
 */
export function collectYoung(): void {
  if (typeof gc === "function") gc({ type: "minor" });
}

/**
 * Frees a buffer that nobody will look at again. One that shares its memory
 * with others, as small ones of a pool do, is left alone.
 */
export function release({ buffer, byteLength }: Uint8Array): void {
  if (!(buffer instanceof ArrayBuffer)) return;
  if (buffer.byteLength === byteLength) buffer.transfer(0);
}
