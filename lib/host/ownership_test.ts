import assert from "node:assert/strict";
import type { Statx } from "./abi.ts";
import { givenMode, isGiven } from "./ownership.ts";

const DIRECTORY = 0o040000;
const FILE = 0o100000;

function found(mode: number, gid = 7): Statx {
  return {
    mode,
    gid,
    uid: 0,
    sizeBytes: 0,
    modifiedAtMs: 0,
    isMountRoot: false,
    usedBytes: 0n,
    links: 1,
    identity: "",
    version: "",
  };
}

const ASK = {
  gid: 7,
  isReadOnly: false,
  policy: "always",
  progress: () => undefined,
  signal: new AbortController().signal,
} as const;

Deno.test("givenMode() adds upstream's bits and takes none away", () => {
  const table: [number, boolean, number][] = [
    [DIRECTORY | 0o755, false, 0o2775],
    [DIRECTORY | 0o700, false, 0o2770],
    [DIRECTORY | 0o700, true, 0o2750],
    [DIRECTORY | 0o1777, false, 0o3777],
    [FILE | 0o600, false, 0o660],
    [FILE | 0o4755, false, 0o4775],
    [FILE | 0, true, 0o440],
    [0o010000 | 0o600, false, 0o660],
  ];
  for (const [mode, isReadOnly, expected] of table) {
    assert.equal(givenMode(found(mode), { isReadOnly }), expected);
  }
});

Deno.test("isGiven() looks at group, bits and setgid of the root only", () => {
  const table: [number, number, boolean, boolean][] = [
    [DIRECTORY | 0o2770, 7, false, true],
    [DIRECTORY | 0o2775, 7, false, true],
    [DIRECTORY | 0o2770, 8, false, false],
    [DIRECTORY | 0o770, 7, false, false],
    [DIRECTORY | 0o2750, 7, false, false],
    [DIRECTORY | 0o2550, 7, true, true],
    [DIRECTORY | 0o2440, 7, true, false],
    [FILE | 0o2770, 7, false, false],
  ];
  for (const [mode, gid, isReadOnly, expected] of table) {
    assert.equal(isGiven(found(mode, gid), { ...ASK, isReadOnly }), expected);
  }
});
