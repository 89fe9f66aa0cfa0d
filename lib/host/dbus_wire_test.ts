import assert from "node:assert/strict";
import type { Argument } from "./dbus_values.ts";
import {
  argumentsOf,
  decodeMessage,
  encodeMessage,
  HEAD_BYTES,
  LONGEST_MESSAGE_BYTES,
  messageLength,
  METHOD_CALL,
  SIGNAL,
} from "./dbus_wire.ts";
import { greetingLength } from "./dbus_greeting.ts";

const CALL = {
  type: METHOD_CALL,
  serial: 2,
  destination: "org.freedesktop.login1",
  path: "/org/freedesktop/login1",
  interface: "org.freedesktop.login1.Manager",
  member: "Inhibit",
};

/** The first message of libdbus on a connection, as it was seen. */
const HELLO =
  "6c01000100000000010000006e00000001016f00150000002f6f72672f66726565" +
  "6465736b746f702f4442757300000006017300140000006f72672e667265656465" +
  "736b746f702e444275730000000002017300140000006f72672e66726565646573" +
  "6b746f702e4442757300000000030173000500000048656c6c6f000000";

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (each) => parseInt(each, 16));
}

Deno.test("decodeMessage() reads what another library wrote", () => {
  const bytes = bytesOf(HELLO);
  assert.equal(messageLength(bytes), bytes.length);
  const { body, ...message } = decodeMessage(bytes);
  assert.deepEqual(message, {
    type: METHOD_CALL,
    serial: 1,
    path: "/org/freedesktop/DBus",
    interface: "org.freedesktop.DBus",
    member: "Hello",
    destination: "org.freedesktop.DBus",
    isLittleEndian: true,
  });
  assert.equal(body.length, 0);
});

Deno.test("encodeMessage() writes what decodeMessage() reads", () => {
  const args: Argument[] = [
    { type: "s", value: "ünïcode" },
    { type: "u", value: 4_000_000_000 },
    { type: "i", value: -1 },
    { type: "b", value: true },
    { type: "t", value: 2n ** 64n - 1n },
    { type: "o", value: "/" },
    { type: "h", value: 0 },
  ];
  const bytes = encodeMessage({ ...CALL, unixFds: 1 }, args);
  assert.equal(messageLength(bytes), bytes.length);
  const message = decodeMessage(bytes);
  assert.deepEqual(
    argumentsOf(message, "suibtoh"),
    args.map(({ value }) => value),
  );
  assert.equal(message.unixFds, 1);
  assert.equal(message.member, "Inhibit");
});

Deno.test("argumentsOf() refuses other types than were asked for", () => {
  const text = encodeMessage({ ...CALL, type: SIGNAL }, [
    { type: "s", value: "true" },
  ]);
  assert.throws(() => argumentsOf(decodeMessage(text), "b"), /s in place of b/);
  const nothing = decodeMessage(encodeMessage(CALL));
  assert.throws(() => argumentsOf(nothing, "b"), /nothing in place of b/);
});

Deno.test("messageLength() refuses what would fill the memory", () => {
  const bytes = encodeMessage(CALL);
  const view = new DataView(bytes.buffer);
  view.setUint32(4, LONGEST_MESSAGE_BYTES, true);
  assert.throws(() => messageLength(bytes), /a message of \d+ bytes/);
  view.setUint32(4, 0, true);
  view.setUint32(12, 0xffff_fff0, true);
  assert.throws(() => messageLength(bytes), /a message of \d+ bytes/);
});

Deno.test("decodeMessage() of any garbage ends, or says what is wrong", () => {
  const whole = encodeMessage({ ...CALL, unixFds: 1 }, [
    { type: "s", value: "x".repeat(40) },
    { type: "t", value: 7n },
  ]);
  let seed = 1;
  const next = (below: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  let refused = 0;
  for (let round = 0; round < 5_000; round++) {
    const bytes = whole.slice(0, HEAD_BYTES + next(whole.length - HEAD_BYTES));
    for (let flips = next(6); flips > 0; flips--) {
      bytes[next(bytes.length)] = next(256);
    }
    try {
      messageLength(bytes);
      argumentsOf(decodeMessage(bytes), "st");
    } catch (error) {
      // Nothing but an error of ours, or of a view that is too short.
      const name = error instanceof Error ? error.name : "";
      assert.match(name, /^(AgentError|RangeError)$/);
      refused++;
    }
  }
  assert.ok(refused > 1_000);
});

for (
  const [text, expected] of [
    ["", undefined],
    ["DATA\r\nOK 1f", undefined],
    ["DATA\r\nOK 1f\r\nAGREE_UNIX_FD\r\n", 28],
    ["DATA\r\nOK 1f\r\nAGREE_UNIX_FD\r\nl\x02", 28],
    ["DATA\r\nOK 1f\r\nERROR no\r\n", 23],
  ] as const
) {
  Deno.test(`greetingLength() of ${JSON.stringify(text)} is ${expected}`, () => {
    const bytes = new TextEncoder().encode(text);
    assert.equal(greetingLength(bytes), expected);
  });
}

for (
  const text of ["REJECTED EXTERNAL\r\n", "DATA\r\nNO\r\n", "x".repeat(2000)]
) {
  Deno.test(`greetingLength() refuses ${text.slice(0, 20).trim()}`, () => {
    const bytes = new TextEncoder().encode(text);
    assert.throws(() => greetingLength(bytes), /does not let us in/);
  });
}
