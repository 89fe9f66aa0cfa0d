import assert from "node:assert/strict";
import { type Argument, Writer } from "./dbus_values.ts";

function bytesOf(args: readonly Argument[]): string {
  const writer = new Writer();
  for (const each of args) writer.argument(each);
  return writer.finished().toHex();
}

const CASES: readonly (readonly [string, readonly Argument[], string])[] = [
  ["an empty list of texts", [{ type: "as", value: [] }], "00000000"],
  [
    "two texts, the second one aligned",
    [{ type: "as", value: ["a", "b"] }],
    "0e000000" + "01000000" + "6100" + "0000" + "01000000" + "6200",
  ],
  [
    // The length does not count the four bytes before the first element.
    "an empty list of structures, aligned all the same",
    [{ type: "a(sa(sv))", value: [] }],
    "00000000" + "00000000",
  ],
  [
    "a property of 64 bits",
    [{
      type: "a(sv)",
      value: [{ name: "a", value: { type: "t", value: 1n } }],
    }],
    "18000000" + "00000000" +
    "01000000" + "6100" + "017400" + "00000000000000" + "0100000000000000",
  ],
  [
    "two properties, the second one aligned",
    [{
      type: "a(sv)",
      value: [
        { name: "a", value: { type: "b", value: true } },
        { name: "b", value: { type: "as", value: ["c"] } },
      ],
    }],
    "26000000" + "00000000" +
    "01000000" + "6100" + "016200" + "000000" + "01000000" +
    "01000000" + "6200" + "02617300" + "0000" + "06000000" + "01000000" +
    "6300",
  ],
];

for (const [name, args, hex] of CASES) {
  Deno.test(`Writer.argument() lays out ${name}`, () => {
    assert.equal(bytesOf(args), hex);
  });
}

Deno.test("Writer grows with what is written", () => {
  const long = "x".repeat(250);
  for (const count of [1, 2, 9]) {
    const value = Array.from({ length: count }, () => long);
    const hex = bytesOf([{ type: "as", value }]);
    assert.equal(hex.match(/fa0000007878/g)?.length, count);
  }
});
