import assert from "node:assert/strict";
import { HostLogKeeper } from "./log_keeper.ts";
import { openLibc } from "./libc.ts";

const never = new AbortController().signal;

async function inFolder(
  story: (folder: string, keeper: HostLogKeeper) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const libc = openLibc();
  try {
    const trees = { libc, roots: [folder], links: "refuse" } as const;
    await story(folder, new HostLogKeeper(trees));
  } finally {
    libc.close();
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("HostLogKeeper.pack() keeps every byte and the mode", async () => {
  await inFolder(async (folder, keeper) => {
    const lines = Array.from({ length: 40_000 }, (_, n) => `line ${n}\n`);
    const path = `${folder}/0.log.1`;
    await Deno.writeTextFile(path, lines.join(""), { mode: 0o640 });
    await keeper.pack(path, never);
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
    assert.deepEqual(names, ["0.log.1.gz"]);
    const { mode, size } = await Deno.stat(`${path}.gz`);
    assert.equal((mode ?? 0) & 0o777, 0o640);
    assert.ok(size < 200_000);
    const file = await Deno.open(`${path}.gz`);
    const text = await new Response(
      file.readable.pipeThrough(new DecompressionStream("gzip")),
    ).text();
    assert.equal(text, lines.join(""));
  });
});

Deno.test("HostLogKeeper.rename() takes no other's name, and no link", async () => {
  await inFolder(async (folder, keeper) => {
    await Deno.writeTextFile(`${folder}/0.log`, "one");
    await keeper.rename(`${folder}/0.log`, `${folder}/0.log.1`);
    assert.equal(await Deno.readTextFile(`${folder}/0.log.1`), "one");
    await Deno.writeTextFile(`${folder}/0.log`, "two");
    await assert.rejects(
      keeper.rename(`${folder}/0.log`, `${folder}/0.log.1`),
      { next: "already-so" },
    );
    assert.equal(await Deno.readTextFile(`${folder}/0.log.1`), "one");
    await Deno.writeTextFile(`${folder}/secret`, "secret");
    await Deno.symlink(`${folder}/secret`, `${folder}/link.log`);
    await assert.rejects(
      keeper.rename(`${folder}/link.log`, `${folder}/link.log.1`),
      { next: "give-up" },
    );
    await assert.rejects(keeper.pack(`${folder}/link.log`, never));
    assert.equal(await Deno.readTextFile(`${folder}/secret`), "secret");
    await assert.rejects(
      keeper.rename(`${folder}/gone.log`, `${folder}/gone.log.1`),
    );
  });
});
