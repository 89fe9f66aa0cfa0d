/**
 * How D-Bus lays values out: everything aligned to its own size, text with its
 * length before it. Pure. Used by dbus_wire.ts.
 */
import { AgentError } from "../base/errors.ts";
import type { Bytes } from "./abi.ts";

/** One value: text, a number up to 64 bits, a yes or no, a descriptor. */
type Plain =
  | { readonly type: "s" | "o"; readonly value: string }
  | { readonly type: "i" | "u" | "h"; readonly value: number }
  | { readonly type: "t"; readonly value: bigint }
  | { readonly type: "b"; readonly value: boolean };

/** A name and what it stands for: an element of `a(sv)`. */
export interface Property {
  readonly name: string;
  readonly value: Plain | Texts;
}

interface Texts {
  readonly type: "as";
  readonly value: readonly string[];
}

/** What is sent: a value, or a list. The last one is only sent empty. */
export type Argument =
  | Plain
  | Texts
  | { readonly type: "a(sv)"; readonly value: readonly Property[] }
  | { readonly type: "a(sa(sv))"; readonly value: readonly [] };

export type Value = Plain["value"];

export class Writer {
  #bytes = new Uint8Array(256);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  finished(): Bytes {
    return this.#bytes.slice(0, this.#length);
  }

  align(to: number): void {
    this.#room(aligned(this.#length, to) - this.#length);
  }

  bytes(values: readonly number[]): void {
    // Room first: the bytes may be others afterwards.
    const at = this.#room(values.length);
    this.#bytes.set(values, at);
  }

  append(other: Writer): void {
    const { length } = other;
    const at = this.#room(length);
    this.#bytes.set(other.#bytes.subarray(0, length), at);
  }

  number(value: number): void {
    this.align(4);
    const at = this.#room(4);
    viewOf(this.#bytes).setUint32(at, value, true);
  }

  text(value: string): void {
    const bytes = new TextEncoder().encode(value);
    this.number(bytes.length);
    const at = this.#room(bytes.length + 1);
    this.#bytes.set(bytes, at);
  }

  signature(value: string): void {
    const bytes = new TextEncoder().encode(value);
    this.bytes([bytes.length, ...bytes, 0]);
  }

  argument({ type, value }: Argument): void {
    switch (type) {
      case "s":
      case "o":
        return this.text(value);
      case "b":
        return this.number(value ? 1 : 0);
      case "t": {
        this.align(8);
        const at = this.#room(8);
        return viewOf(this.#bytes).setBigUint64(at, value, true);
      }
      case "i":
      case "u":
      case "h":
        return this.number(value);
      case "as":
        return this.#list(4, value, (list, each) => list.text(each));
      case "a(sv)":
        return this.#list(8, value, (list, each) => list.#property(each));
      case "a(sa(sv))":
        return this.#list(8, value, () => {});
    }
  }

  /** The length does not count what aligns the first element. */
  #list<T>(
    alignment: 4 | 8,
    elements: readonly T[],
    write: (list: Writer, element: T) => void,
  ): void {
    const list = new Writer();
    for (const each of elements) write(list, each);
    this.number(list.length);
    this.align(alignment);
    this.append(list);
  }

  #property({ name, value }: Property): void {
    this.align(8);
    this.text(name);
    this.signature(value.type);
    this.argument(value);
  }

  /** Where the next `count` bytes go, which are zero until then. */
  #room(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#length);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    return at;
  }
}

export class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #isLittle: boolean;
  #at: number;

  constructor(
    bytes: Uint8Array,
    { isLittle, at }: { readonly isLittle: boolean; readonly at: number },
  ) {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
    this.#isLittle = isLittle;
    this.#at = at;
  }

  hasMore(): boolean {
    return this.#at < this.#bytes.length;
  }

  align(to: number): void {
    this.#at = aligned(this.#at, to);
  }

  byte(): number {
    return this.#view.getUint8(this.#step(1));
  }

  signature(): string {
    return this.#text(this.byte());
  }

  value(type: string): Value {
    switch (type) {
      case "s":
      case "o":
        return this.#text(this.#number());
      case "g":
        return this.signature();
      case "b": {
        const value = this.#number();
        if (value > 1) throw garbled(`${value} in place of a yes or no`);
        return value === 1;
      }
      case "u":
      case "h":
        return this.#number();
      case "i":
        return this.#number() | 0;
      case "t":
        this.align(8);
        return this.#view.getBigUint64(this.#step(8), this.#isLittle);
      default:
        throw garbled(`a value of type ${JSON.stringify(type)}`);
    }
  }

  #number(): number {
    this.align(4);
    return this.#view.getUint32(this.#step(4), this.#isLittle);
  }

  #text(length: number): string {
    const at = this.#step(length + 1);
    return new TextDecoder().decode(this.#bytes.subarray(at, at + length));
  }

  /** Where the next `count` bytes are; throws when they are not. */
  #step(count: number): number {
    const at = this.#at;
    if (at + count > this.#bytes.length) throw garbled("a message cut short");
    this.#at = at + count;
    return at;
  }
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function aligned(at: number, to: number): number {
  return Math.ceil(at / to) * to;
}

export function garbled(what: string): AgentError {
  return new AgentError(`The bus sent ${what}`, { next: "retry" });
}
