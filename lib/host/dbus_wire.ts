/**
 * Messages of the D-Bus protocol as bytes, as far as we speak it: calls with
 * simple arguments, replies and signals. Pure. Whatever comes in is bounded
 * and checked; what is not understood is refused, never guessed.
 */
import type { Bytes } from "./abi.ts";
import {
  aligned,
  type Argument,
  garbled,
  Reader,
  type Value,
  viewOf,
  Writer,
} from "./dbus_values.ts";

/** What crosses the bus to us is small; the protocol would allow 128 MiB. */
export const LONGEST_MESSAGE_BYTES = 64 * 1024;
/** Enough to know how long a message is. */
export const HEAD_BYTES = 16;

export const METHOD_CALL = 1;
export const METHOD_RETURN = 2;
export const ERROR = 3;
export const SIGNAL = 4;

/** Header fields by their code in the protocol. */
const FIELDS = {
  path: { code: 1, type: "o" },
  interface: { code: 2, type: "s" },
  member: { code: 3, type: "s" },
  errorName: { code: 4, type: "s" },
  replySerial: { code: 5, type: "u" },
  destination: { code: 6, type: "s" },
  sender: { code: 7, type: "s" },
  signature: { code: 8, type: "g" },
  unixFds: { code: 9, type: "u" },
} as const;

type FieldName = keyof typeof FIELDS;
const NAMES: readonly FieldName[] = [
  ...["path", "interface", "member", "errorName", "replySerial"] as const,
  ...["destination", "sender", "signature", "unixFds"] as const,
];

export interface Message {
  readonly type: number;
  readonly serial: number;
  readonly path?: string;
  readonly interface?: string;
  readonly member?: string;
  readonly errorName?: string;
  readonly replySerial?: number;
  readonly destination?: string;
  /** Set by the bus; who sends cannot forge it. */
  readonly sender?: string;
  readonly signature?: string;
  readonly unixFds?: number;
}

/** A message that came, its arguments not yet looked at. */
export interface Incoming extends Message {
  readonly body: Uint8Array;
  readonly isLittleEndian: boolean;
}

export function encodeMessage(
  message: Omit<Message, "signature">,
  args: readonly Argument[] = [],
): Bytes {
  const body = new Writer();
  for (const each of args) body.argument(each);
  const head = new Writer();
  head.bytes([0x6c, message.type, 0, 1]);
  head.number(body.length);
  head.number(message.serial);
  const fields = new Writer();
  const signature = args.map(({ type }) => type).join("");
  const values: Message = {
    ...message,
    ...signature === "" ? {} : { signature },
  };
  for (const name of NAMES) {
    const value = values[name];
    if (value !== undefined) writeField(fields, name, value);
  }
  head.number(fields.length);
  head.append(fields);
  head.align(8);
  head.append(body);
  return head.finished();
}

/** Whole length of the message that begins with these bytes, of 16 or more. */
export function messageLength(bytes: Uint8Array): number {
  const view = viewOf(bytes);
  const isLittle = isLittleEndian(bytes);
  if (view.getUint8(3) !== 1) throw garbled("an unknown protocol version");
  const body = view.getUint32(4, isLittle);
  const fields = view.getUint32(12, isLittle);
  const length = aligned(HEAD_BYTES + fields, 8) + body;
  if (length > LONGEST_MESSAGE_BYTES) {
    throw garbled(`a message of ${length} bytes`);
  }
  return length;
}

/** `bytes`: exactly one message. */
export function decodeMessage(bytes: Uint8Array): Incoming {
  const view = viewOf(bytes);
  const isLittle = isLittleEndian(bytes);
  const end = HEAD_BYTES + view.getUint32(12, isLittle);
  const reader = new Reader(bytes.subarray(0, end), {
    isLittle,
    at: HEAD_BYTES,
  });
  const found = new Map<FieldName, string | number>();
  while (reader.hasMore()) {
    reader.align(8);
    if (!reader.hasMore()) break;
    const code = reader.byte();
    const type = reader.signature();
    const value = reader.value(type);
    const name = NAMES.find((each) => FIELDS[each].code === code);
    if (name === undefined) continue;
    if (FIELDS[name].type !== type) throw garbled(`a field ${name} of ${type}`);
    if (typeof value === "string" || typeof value === "number") {
      found.set(name, value);
    }
  }
  return {
    type: view.getUint8(1),
    serial: view.getUint32(8, isLittle),
    ...Object.fromEntries(found),
    body: bytes.subarray(aligned(end, 8)),
    isLittleEndian: isLittle,
  };
}

/** The arguments, when they are of exactly these types. */
export function argumentsOf(
  message: Incoming,
  signature: string,
): readonly Value[] {
  const { body, signature: given = "" } = message;
  if (given !== signature) {
    throw garbled(`${given || "nothing"} in place of ${signature}`);
  }
  const reader = new Reader(body, { isLittle: message.isLittleEndian, at: 0 });
  return [...signature].map((type) => {
    const inner = type === "v" ? reader.signature() : type;
    return reader.value(inner);
  });
}

function writeField(
  to: Writer,
  name: FieldName,
  value: string | number,
): void {
  const { code, type } = FIELDS[name];
  to.align(8);
  to.bytes([code]);
  to.signature(type);
  if (typeof value === "number") to.number(value);
  else if (type === "g") to.signature(value);
  else to.text(value);
}

function isLittleEndian(bytes: Uint8Array): boolean {
  if (bytes[0] === 0x6c) return true;
  if (bytes[0] === 0x42) return false;
  throw garbled("no message");
}
