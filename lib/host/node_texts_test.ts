import assert from "node:assert/strict";
import { openLibc } from "./libc.ts";
import { HostNodeTexts } from "./node_texts.ts";
import { hostTraits } from "./traits.ts";

Deno.test("HostNodeTexts reads a file again when it has changed", async () => {
  const libc = openLibc();
  const folder = await Deno.makeTempDir();
  try {
    let nowMs = 0;
    const texts = new HostNodeTexts(libc, () => nowMs);
    const path = `${folder}/resolv.conf`;
    assert.equal(texts.read(path).kind, "failed");
    await Deno.writeTextFile(`${folder}/one`, "nameserver 192.0.2.1\n");
    await Deno.symlink(`${folder}/one`, path);
    const first = { kind: "text", text: "nameserver 192.0.2.1\n" };
    assert.deepEqual(texts.read(path), first);
    assert.deepEqual(texts.read(path), first);
    // As a resolver's agent does it: another file under the same name.
    await Deno.writeTextFile(`${folder}/two`, "nameserver 192.0.2.2\n");
    await Deno.rename(`${folder}/two`, `${folder}/one`);
    assert.deepEqual(texts.read(path), first, "looked at just now");
    nowMs += 250;
    const second = { kind: "text", text: "nameserver 192.0.2.2\n" };
    assert.deepEqual(texts.read(path), second);
    await Deno.remove(`${folder}/one`);
    nowMs += 250;
    assert.equal(texts.read(path).kind, "failed");
    assert.equal(texts.read(folder).kind, "failed", "a directory");
  } finally {
    libc.close();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("hostTraits() tells what this kernel has", () => {
  const libc = openLibc();
  try {
    const traits = hostTraits(libc);
    assert.match(traits.kernelVersion, /^\d+\.\d+/);
    assert.ok(traits.cgroupVersion === 1 || traits.cgroupVersion === 2);
    const sorted = [...traits.hugePageSizes].sort((a, b) => (a < b ? -1 : 1));
    assert.deepEqual(traits.hugePageSizes, sorted);
    assert.ok(traits.hugePageSizes.every((size) => size >= 65_536n));
  } finally {
    libc.close();
  }
});
