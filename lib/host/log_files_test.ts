import assert from "node:assert/strict";
import { exchange } from "../../tests/fakes/exchange.ts";
import { openLibc } from "./libc.ts";
import { HostLogFiles } from "./log_files.ts";

async function inDirectory(
  test: (directory: string, logFiles: HostLogFiles) => Promise<void>,
): Promise<void> {
  const libc = openLibc();
  const directory = await Deno.makeTempDir();
  try {
    const trees = { libc, roots: [directory], links: "refuse" } as const;
    await test(directory, new HostLogFiles(trees));
  } finally {
    await Deno.remove(directory, { recursive: true });
    libc.close();
  }
}

Deno.test("HostLogFiles reads any part of a file", () =>
  inDirectory(async (directory, logFiles) => {
    await Deno.writeTextFile(`${directory}/a`, "0123456789");
    const file = await logFiles.open(`${directory}/a`);
    assert.ok(file);
    const part = async (offset: number, length: number) =>
      new TextDecoder().decode(await file.read(offset, length));
    assert.equal(await part(0, 3), "012");
    assert.equal(await part(3, 3), "345");
    assert.equal(await part(1, 2), "12");
    assert.equal(await part(8, 100), "89");
    assert.equal(await part(50, 10), "");
    assert.equal(await file.sizeBytes(), 10);
    file.close();
  }));

Deno.test("HostLogFiles keeps a file open while it is renamed", () =>
  inDirectory(async (directory, logFiles) => {
    const path = `${directory}/a`;
    await Deno.writeTextFile(path, "old");
    const file = await logFiles.open(path);
    assert.ok(file);
    await Deno.rename(path, `${directory}/b`);
    assert.equal(await logFiles.identity(path), undefined);
    await Deno.writeTextFile(path, "new");
    assert.equal(await logFiles.identity(`${directory}/b`), file.identity);
    assert.notEqual(await logFiles.identity(path), file.identity);
    assert.equal(new TextDecoder().decode(await file.read(0, 9)), "old");
    file.close();
  }));

Deno.test("HostLogFiles finds nothing where nothing is", () =>
  inDirectory(async (directory, logFiles) => {
    assert.equal(await logFiles.open(`${directory}/no/file`), undefined);
    assert.equal(await logFiles.identity(`${directory}/no`), undefined);
  }));

Deno.test("HostLogFiles refuses links, directories and pipes", () =>
  inDirectory(async (directory, logFiles) => {
    await Deno.writeTextFile(`${directory}/real`, "x");
    await Deno.symlink(`${directory}/real`, `${directory}/link`);
    await Deno.mkdir(`${directory}/dir`);
    await Deno.symlink(`${directory}/dir`, `${directory}/way`);
    await Deno.writeTextFile(`${directory}/dir/file`, "x");
    await new Deno.Command("mkfifo", { args: [`${directory}/pipe`] }).output();
    for (const name of ["link", "dir", "way/file", "pipe"]) {
      await assert.rejects(
        logFiles.open(`${directory}/${name}`),
        { name: "AgentError", next: "give-up" },
        name,
      );
    }
    await assert.rejects(logFiles.open("/etc/passwd"), { next: "give-up" });
  }));

Deno.test("S38 HostLogFiles waits for no pipe that takes a file's place", () =>
  inDirectory(async (directory, logFiles) => {
    const [file, pipe] = [`${directory}/file`, `${directory}/pipe`];
    await Deno.writeTextFile(file, "x");
    await new Deno.Command("mkfifo", { args: [pipe] }).output();
    const swapper = exchange(file, pipe);
    try {
      const seen = new Set<string>();
      const untilMs = Date.now() + 10_000;
      while (seen.size < 2 && Date.now() < untilMs) {
        for (let tries = 0; tries < 100; tries++) {
          const found = await logFiles.open(file).catch((error) => error);
          if (found instanceof Error) seen.add("refused");
          else if (found !== undefined) {
            assert.equal((await found.read(0, 9)).length, 1);
            found.close();
            seen.add("read");
          }
        }
      }
      assert.deepEqual([...seen].sort(), ["read", "refused"]);
    } finally {
      swapper.terminate();
    }
  }));

Deno.test("HostLogFiles closes a file under a read only after it", () =>
  inDirectory(async (directory, logFiles) => {
    await Deno.writeTextFile(`${directory}/a`, "x".repeat(1 << 20));
    const file = await logFiles.open(`${directory}/a`);
    assert.ok(file);
    const reading = file.read(0, 1 << 20);
    file.close();
    file.close();
    assert.equal((await reading).length, 1 << 20);
    await assert.rejects(file.read(0, 1), { next: "give-up" });
    await assert.rejects(file.sizeBytes(), { next: "give-up" });
  }));
