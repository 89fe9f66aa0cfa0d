import assert from "node:assert/strict";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { FakeFiles } from "../../tests/fakes/fake_host.ts";
import { HostFiles } from "../host/files.ts";
import { openLibc } from "../host/libc.ts";
import type { Files } from "../port/host.ts";
import type { ProjectedFile } from "./content.ts";
import { currentData, writeVolume } from "./write.ts";

class World {
  readonly files: Files;
  readonly directory: string;
  readonly clock = new FakeClock();
  #count = 0;

  constructor(files: Files, directory: string) {
    this.files = files;
    this.directory = directory;
  }

  write(
    texts: Readonly<Record<string, string>>,
    own: { readonly gid?: number; readonly uid?: number } = {},
  ): Promise<void> {
    const { files, clock, directory } = this;
    const { gid, uid } = own;
    const content = new Map<string, ProjectedFile>(
      Object.entries(texts).map(([path, text]) => [path, {
        bytes: new TextEncoder().encode(text),
        mode: 0o600,
        ...(uid === undefined ? {} : { uid }),
      }]),
    );
    const random = {
      fraction: () => ++this.#count / 2 ** 32,
      hex: () => "0",
    };
    return writeVolume(
      { files, clock, random },
      { directory, content, gid },
    );
  }

  /** What stands in the volume itself; links with their targets. */
  async entries(): Promise<string[]> {
    const found = await this.files.list(this.directory) ?? [];
    const shown = found.map(async ({ name, kind }) =>
      kind === "symlink"
        ? `${name} -> ${await this.files.readLink(`${this.directory}/${name}`)}`
        : `${name} ${kind}`
    );
    return (await Promise.all(shown)).sort();
  }

  /** As a container reads: through the links. */
  async text(path: string): Promise<string | undefined> {
    const data = await currentData(this.files, this.directory);
    const bytes = await this.files.read(
      `${this.directory}/${data}/${path}`,
      1000,
    );
    return bytes && new TextDecoder().decode(bytes);
  }
}

/** The same promises on the fake and on a real directory. */
function test(name: string, check: (world: World) => Promise<void>): void {
  Deno.test(`writeVolume() ${name}`, async () => {
    const files = new FakeFiles();
    await files.makeDirectory("/v", 0o777);
    await check(new World(files, "/v"));
  });
  Deno.test(`writeVolume() ${name}, on Linux`, async () => {
    const root = await Deno.makeTempDir();
    const libc = openLibc();
    const files = new HostFiles({ libc, roots: [root], links: "refuse" });
    await files.makeDirectory(`${root}/v`, 0o777);
    try {
      await check(new World(files, `${root}/v`));
    } finally {
      libc.close();
      await Deno.remove(root, { recursive: true });
    }
  });
}

const FIRST = "..2026_01_02_03_04_05.1";
const SECOND = "..2026_01_02_03_04_05.2";

test("shows files through links that all turn at once", async (world) => {
  await world.write({ token: "t1", "user/labels": "a", "user/x/y": "b" });
  const shown = [
    `..data -> ${FIRST}`,
    "token -> ..data/token",
    "user -> ..data/user",
  ];
  assert.deepEqual(
    await world.entries(),
    [
      `${FIRST} directory`,
      ...shown,
    ].sort(),
  );
  assert.equal(await world.text("user/x/y"), "b");
  const stat = await world.files.stat(`${world.directory}/${FIRST}/token`);
  assert.equal(stat?.mode, 0o600);
  await world.write({ token: "t2", "user/labels": "a", "user/x/y": "b" });
  assert.equal(await world.text("token"), "t2");
  assert.deepEqual(
    await world.entries(),
    [
      `${SECOND} directory`,
      `..data -> ${SECOND}`,
      "token -> ..data/token",
      "user -> ..data/user",
    ].sort(),
  );
});

test("leaves alone what is as it should be", async (world) => {
  const texts = { a: "1", "b/c": "2" };
  await world.write(texts);
  await world.write(texts);
  assert.equal(await currentData(world.files, world.directory), FIRST);
  // A visible name that got lost comes back.
  await world.files.remove(`${world.directory}/a`);
  await world.write(texts);
  assert.equal((await world.entries()).includes("a -> ..data/a"), true);
  assert.equal(await currentData(world.files, world.directory), FIRST);
});

test("takes away what is not wanted any more", async (world) => {
  await world.write({ a: "1", "b/c": "2", "b/d": "3" });
  await world.write({ "b/c": "2" });
  assert.deepEqual(await world.entries(), [
    `${SECOND} directory`,
    `..data -> ${SECOND}`,
    "b -> ..data/b",
  ]);
  assert.equal(await world.text("b/d"), undefined);
  await world.write({});
  assert.equal((await world.entries()).length, 2);
});

test("clears up after a write that broke off", async (world) => {
  const { files, directory } = world;
  await files.makeDirectory(`${directory}/..2024_01_01_00_00_00.9`, 0o755);
  await world.write({ a: "1" });
  assert.equal((await world.entries()).length, 3);
  await files.makeDirectory(`${directory}/..2025_01_01_00_00_00.9/x`, 0o755);
  await files.link(`${directory}/.denolet-0123456789ab`, "..2025");
  await files.makeDirectory(`${directory}/mounted-inside`, 0o755);
  await world.write({ a: "1" });
  assert.deepEqual(
    await world.entries(),
    [
      `${FIRST} directory`,
      `..data -> ${FIRST}`,
      "a -> ..data/a",
      "mounted-inside directory",
    ].sort(),
  );
  // The data went, and only the link is left.
  await files.removeTree(`${directory}/${FIRST}`);
  await world.write({ a: "1" });
  assert.equal(await world.text("a"), "1");
});

test("opens files for a group, and never for others", async (world) => {
  const { files, directory } = world;
  const { uid = 0, gid = 0 } = await files.stat(directory) ?? {};
  await world.write({ "a/b": "1" }, { uid, gid });
  const file = await files.stat(`${directory}/${FIRST}/a/b`);
  assert.deepEqual([file?.mode, file?.uid, file?.gid], [0o640, uid, gid]);
  for (const path of [directory, `${directory}/${FIRST}/a`]) {
    const mode = (await files.stat(path))?.mode ?? 0;
    assert.equal(mode & 0o2550, 0o2550, path);
  }
});

Deno.test("writeVolume() leaves the old files when new ones cannot be written", async () => {
  const files = new FakeFiles();
  await files.makeDirectory("/v", 0o777);
  const world = new World(files, "/v");
  await world.write({ a: "1" });
  files.broken.add(`/v/${SECOND}/b`);
  await assert.rejects(world.write({ a: "2", b: "3" }));
  assert.equal(await world.text("a"), "1");
  assert.deepEqual(await world.entries(), [
    `${FIRST} directory`,
    `..data -> ${FIRST}`,
    "a -> ..data/a",
  ]);
});
