import assert from "node:assert/strict";
import { mountEntries, mountOf, mountsOfSame } from "./mount_table.ts";

const TABLE = mountEntries([
  "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw",
  "40 27 254:0 /disk/a /pods/u/v rw,relatime shared:5 - ext4 /dev/vda rw",
  "41 27 0:9 / /pods/u/a\\040b\\134 rw shared:6 master:1 - tmpfs none rw",
  "42 27 0:10 /x /data rw - nfs4 server:/x rw",
  "43 27 0:11 / /data rw - tmpfs none rw",
  "broken",
  "",
].join("\n"));

Deno.test("mountEntries() reads the kernel's table, odd names and all", () => {
  assert.equal(TABLE.length, 5);
  assert.deepEqual(TABLE[2], {
    device: "0:9",
    root: "/",
    path: "/pods/u/a b\\",
    isShared: true,
    type: "tmpfs",
    source: "none",
  });
  assert.equal(TABLE[0]?.isShared, false);
});

Deno.test("mountOf() finds the innermost mount, and the newest at one place", () => {
  assert.equal(mountOf(TABLE, "/pods/u/v/x")?.path, "/pods/u/v");
  assert.equal(mountOf(TABLE, "/pods/u/vv")?.path, "/");
  assert.equal(mountOf(TABLE, "/data/y")?.type, "tmpfs");
});

Deno.test("mountsOfSame() finds where the same directory is bound", () => {
  assert.deepEqual(mountsOfSame(TABLE, "/disk/a"), ["/pods/u/v"]);
  assert.deepEqual(mountsOfSame(TABLE, "/pods/u/v"), []);
  assert.deepEqual(mountsOfSame(TABLE, "/disk"), []);
});
