import assert from "node:assert/strict";
import { KernelFiles } from "./kernel_files.ts";
import { openLibc } from "./libc.ts";

Deno.test("KernelFiles.read() has the whole text, however long", async () => {
  const libc = openLibc();
  const folder = await Deno.makeTempDir();
  try {
    const files = new KernelFiles(libc);
    for (const length of [0, 1, 2_047, 2_048, 4_096, 65_536, 200_001]) {
      const text = "é".repeat(length >> 1) + "x".repeat(length % 2);
      await Deno.writeTextFile(`${folder}/file`, text);
      assert.equal(files.read(`${folder}/file`), text, `${length} bytes`);
    }
    const status = Deno.readTextFileSync("/proc/self/mountinfo");
    assert.equal(files.read("/proc/self/mountinfo"), status);
  } finally {
    libc.close();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("KernelFiles.read() takes any path, one after the other", async () => {
  const libc = openLibc();
  const folder = await Deno.makeTempDir();
  try {
    const files = new KernelFiles(libc);
    for (const name of ["longer name", "é", "a", "x".repeat(200)]) {
      await Deno.writeTextFile(`${folder}/${name}`, name);
      assert.equal(files.read(`${folder}/${name}`), name);
    }
    assert.throws(() => files.read(`${folder}/a\0b`), /has a NUL/);
    assert.equal(files.read(`/${"a".repeat(5_000)}`), undefined);
  } finally {
    libc.close();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("KernelFiles.read() tells absent from unreadable", () => {
  const libc = openLibc();
  try {
    const files = new KernelFiles(libc);
    assert.equal(files.read("/proc/self/none"), undefined);
    assert.equal(files.read("/proc/self/stat/none"), undefined);
    assert.equal(files.read("/proc/2147483646/stat"), undefined);
    assert.throws(() => files.read("/proc/self/fd"), /Cannot read \/proc/);
  } finally {
    libc.close();
  }
});

Deno.test("KernelFiles.readBelow() stays below a folder that may come late", async () => {
  const libc = openLibc();
  const folder = await Deno.makeTempDir();
  try {
    const files = new KernelFiles(libc);
    const tree = `${folder}/tree`;
    assert.equal(files.readBelow(tree, "/a", "file"), undefined);
    await Deno.mkdir(tree);
    assert.equal(files.readBelow(tree, "/a", "file"), undefined);
    // As something is mounted over what was there.
    await Deno.rename(tree, `${folder}/before`);
    await Deno.mkdir(`${tree}/a`, { recursive: true });
    await Deno.writeTextFile(`${tree}/a/file`, "1");
    await Deno.writeTextFile(`${folder}/outside`, "2");
    assert.equal(files.readBelow(tree, "/a", "file"), "1");
    assert.equal(files.readBelow(tree, "/a", "none"), undefined);
    assert.throws(() => files.readBelow(tree, "/..", "outside"), /Cannot read/);
  } finally {
    libc.close();
    await Deno.remove(folder, { recursive: true });
  }
});
