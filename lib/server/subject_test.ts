import assert from "node:assert/strict";
import { subjectOf } from "./subject.ts";

/** One DER value; lengths as short as they can be. */
function der(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const length = content.reduce((sum, each) => sum + each.length, 0);
  const size = length < 0x80 ? [length] : [0x82, length >> 8, length & 0xff];
  return Uint8Array.from([
    tag,
    ...size,
    ...content.flatMap((each) => [...each]),
  ]);
}

const ID = { CN: "550403", O: "55040a", OU: "55040b" } as const;

function name(
  names: readonly (readonly [keyof typeof ID, string | Uint8Array])[],
): Uint8Array {
  return der(
    0x30,
    ...names.map(([kind, value]) =>
      der(
        0x31,
        der(
          0x30,
          der(0x06, Uint8Array.fromHex(ID[kind])),
          typeof value === "string"
            ? der(0x0c, new TextEncoder().encode(value))
            : value,
        ),
      )
    ),
  );
}

function certificate(
  subject: Uint8Array,
  form: "versioned" | "plain" = "versioned",
): Uint8Array {
  const empty = der(0x30);
  const version = form === "versioned" ? [der(0xa0, der(0x02))] : [];
  const serial = der(0x02, Uint8Array.of(1));
  const issuer = name([["CN", "ca"]]);
  return der(
    0x30,
    der(0x30, ...version, serial, empty, issuer, empty, subject, empty),
    empty,
    der(0x03),
  );
}

Deno.test("subjectOf() reads the common name and every organization", () => {
  const subject = name([["O", "b"], ["OU", "x"], ["O", "a"], ["CN", "me"]]);
  for (const form of ["versioned", "plain"] as const) {
    assert.deepEqual(subjectOf(certificate(subject, form)), {
      commonName: "me",
      organizations: ["b", "a"],
    });
  }
});

Deno.test("S41: subjectOf() takes the last of two common names, as Go does", () => {
  const two = certificate(name([["CN", "first"], ["CN", "last"]]));
  assert.equal(subjectOf(two)?.commonName, "last");
  assert.equal(subjectOf(certificate(name([["O", "x"]])))?.commonName, "");
});

Deno.test("S41: subjectOf() is not fooled by line breaks in a name", () => {
  const sly = certificate(
    name([["O", "x\nO=system:masters"], ["CN", "a\nCN=b"]]),
  );
  assert.deepEqual(subjectOf(sly), {
    commonName: "a\nCN=b",
    organizations: ["x\nO=system:masters"],
  });
});

Deno.test("subjectOf() refuses what is no certificate", () => {
  const whole = certificate(name([["CN", "me"]]));
  for (let length = 0; length < whole.length; length++) {
    assert.equal(subjectOf(whole.subarray(0, length)), undefined);
  }
  const broken = der(0x0c, Uint8Array.of(0xff, 0xfe));
  assert.equal(subjectOf(certificate(name([["CN", broken]]))), undefined);
  assert.equal(subjectOf(Uint8Array.of(0x30, 0x80, 0, 0)), undefined);
});
