/**
 * Cuts what comes in chunks into frames of a length that their head tells. Used
 * by spdy.ts and websocket.ts, which know what the frames mean.
 */
import { joined } from "../base/bytes.ts";

export interface FrameStart {
  /** Bytes of the frame that are still to come. */
  left: number;
}

export class FrameCutter<Frame extends FrameStart> {
  readonly #frameIn: (
    head: Uint8Array,
  ) => { readonly frame: Frame; readonly headBytes: number } | undefined;
  #head = new Uint8Array();
  #frame: Frame | undefined;

  /** `frameIn` gives undefined as long as the head is not whole. */
  constructor(
    frameIn: (
      head: Uint8Array,
    ) => { readonly frame: Frame; readonly headBytes: number } | undefined,
  ) {
    this.#frameIn = frameIn;
  }

  /** Each frame with the next part of it, which may be empty. */
  *cut(chunk: Uint8Array): Generator<readonly [Frame, Uint8Array]> {
    let rest = chunk;
    for (;;) {
      if (this.#frame === undefined) {
        const head = this.#head.length === 0
          ? rest
          : joined([this.#head, rest]);
        const found = this.#frameIn(head);
        // A copy: the chunk is somebody else's soon.
        this.#head = new Uint8Array(found === undefined ? head : []);
        if (found === undefined) return;
        this.#frame = found.frame;
        rest = head.subarray(found.headBytes);
      }
      const frame = this.#frame;
      const part = rest.subarray(0, frame.left);
      rest = rest.subarray(part.length);
      frame.left -= part.length;
      yield [frame, part];
      if (frame.left > 0) return;
      this.#frame = undefined;
    }
  }
}
