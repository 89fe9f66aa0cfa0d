import assert from "node:assert/strict";
import { socketAddress } from "./libc_sockets.ts";

Deno.test("socketAddress() ends a path with a zero, and begins a name with one", () => {
  assert.deepEqual([...socketAddress("/a")], [1, 0, 47, 97, 0]);
  assert.deepEqual([...socketAddress("@a")], [1, 0, 0, 97]);
});

Deno.test("socketAddress() refuses what the kernel would cut", () => {
  assert.equal(socketAddress(`/${"a".repeat(106)}`).length, 110);
  for (const path of ["", `/${"a".repeat(107)}`, `@${"a".repeat(108)}`]) {
    assert.throws(() => socketAddress(path), /1 to 107 bytes are allowed/);
  }
});
