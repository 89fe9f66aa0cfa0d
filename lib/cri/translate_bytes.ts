/**
 * Bytes ⇄ messages in the shape of `wire.ts`. Pure. The casts here are the
 * boundary between protobufjs's reflection and our types; they are right as
 * long as `wire.ts` follows the schema, which `translate_test.ts` checks.
 */
import { Buffer } from "node:buffer";
import type protobuf from "protobufjs";

/** The bytes of a message; fields that are absent or null are left out. */
export function encodeMessage(type: protobuf.Type, message: object): Buffer {
  const bytes = type.encode(message).finish();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The message in `bytes`; throws when they are not one. */
export function decodeMessage<T>(type: protobuf.Type, bytes: Uint8Array): T {
  return type.decode(bytes) as unknown as T;
}
