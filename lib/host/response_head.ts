/** The head of an HTTP answer, read piece by piece. Pure. */

export interface ResponseHead {
  readonly status: number;
  readonly reason: string;
  /** Status line and headers, as they came. */
  readonly text: Uint8Array;
  readonly contentLength: number | undefined;
  /** What came after the head in the same pieces. */
  readonly rest: Uint8Array;
}

const MOST_BYTES = 64 * 1024;

export class HeadReader {
  #bytes = new Uint8Array();

  /** Undefined: there is more to come. Throws when it is no head. */
  add(chunk: Uint8Array): ResponseHead | undefined {
    const bytes = new Uint8Array(this.#bytes.length + chunk.length);
    bytes.set(this.#bytes);
    bytes.set(chunk, this.#bytes.length);
    this.#bytes = bytes;
    const text = new TextDecoder("latin1").decode(
      bytes.subarray(0, MOST_BYTES),
    );
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) {
      if (bytes.length < MOST_BYTES) return undefined;
      throw new Error("The head of the answer is too long");
    }
    const [first = "", ...lines] = text.slice(0, end).split("\r\n");
    const match = /^HTTP\/1\.[01] (\d{3})(?: ([^\r\n]*))?$/.exec(first);
    if (match === null) throw new Error("The answer is not HTTP");
    const length = lines.map((line) =>
      /^content-length:\s*(\d+)\s*$/i.exec(line)
    )
      .find((found) => found !== null)?.[1];
    return {
      status: Number(match[1]),
      reason: match[2] ?? "",
      text: bytes.slice(0, end + 4),
      contentLength: length === undefined ? undefined : Number(length),
      rest: bytes.slice(end + 4),
    };
  }
}
