/**
 * What every `Mounts` promises. Run on the fake always and on a real temporary
 * directory, which takes a machine where this process may mount.
 */
import assert from "node:assert/strict";
import { AgentError, type Next } from "../../lib/base/errors.ts";
import type { Files, Mounts } from "../../lib/port/host.ts";
import { testPromises } from "./promises.ts";

export interface MountsWorld {
  readonly files: Files;
  readonly mounts: Mounts;
  /** An existing empty directory. */
  readonly root: string;
  /** Names that one sees at a path, through what is mounted there. */
  seen(path: string): Promise<readonly string[]>;
  /** How large a file system at `path` may grow; undefined: not asked. */
  sizeBytes(path: string): Promise<bigint | undefined>;
  /** From now on the mount at `path` spreads nowhere. */
  seclude(path: string): Promise<void>;
  close(): Promise<void>;
}

const bytes = (text: string) => new TextEncoder().encode(text);

export function mountsContract(
  name: string,
  make: () => Promise<MountsWorld>,
  options: { readonly ignore: boolean } = { ignore: false },
) {
  testPromises({
    title: `Mounts (${name})`,
    make,
    keep: PROMISES,
    clear: async (world) => {
      await world.mounts.unmountBelow(world.root);
      await world.close();
    },
    ...options,
  });
}

const PROMISES: Readonly<Record<string, (w: MountsWorld) => Promise<void>>> = {
  "mount once and unmount all": async ({ files, mounts, root }) => {
    const path = `${root}/v`;
    assert.equal(await mounts.isMounted(path), false);
    await files.makeDirectory(path, 0o777);
    assert.equal(await mounts.isMounted(path), false);
    await mounts.mountTmpfs(path, {});
    assert.equal(await mounts.isMounted(path), true);
    await files.create(`${path}/f`, bytes("x"), { mode: 0o600 });
    await mounts.mountTmpfs(path, {});
    assert.deepEqual((await files.list(path))?.map(({ name }) => name), ["f"]);
    await mounts.unmount(path);
    assert.equal(await mounts.isMounted(path), false);
    assert.deepEqual(await files.list(path), []);
    await mounts.unmount(path);
    await mounts.unmount(`${root}/absent/x`);
  },
  "mount with the size that was asked for": async (world) => {
    const { files, mounts, root } = world;
    const path = `${root}/v`;
    await files.makeDirectory(path, 0o777);
    await mounts.mountTmpfs(path, { sizeBytes: 1n << 20n });
    assert.equal(await world.sizeBytes(path), 1n << 20n);
  },
  "unmount all below a directory, the innermost first": async (world) => {
    const { files, mounts, root } = world;
    for (const path of ["p/v", "p/v/inner", "q"]) {
      await files.makeDirectory(`${root}/${path}`, 0o777);
      await mounts.mountTmpfs(`${root}/${path}`, {});
    }
    await mounts.unmountBelow(`${root}/p`);
    assert.equal(await mounts.isMounted(`${root}/p/v`), false);
    assert.equal(await mounts.isMounted(`${root}/q`), true);
    // What is mounted at the directory itself stays.
    await mounts.unmountBelow(`${root}/q`);
    assert.equal(await mounts.isMounted(`${root}/q`), true);
    await mounts.unmountBelow(`${root}/absent`);
    await mounts.unmount(`${root}/q`);
  },
  "bind a directory, and say where it is bound": async (world) => {
    const { files, mounts, root } = world;
    await files.makeDirectory(`${root}/source/inside`, 0o755);
    await files.makeDirectory(`${root}/v`, 0o750);
    const how = { isReadOnly: false, options: [] };
    assert.deepEqual(await mounts.boundAt(`${root}/source`), []);
    await mounts.bind(`${root}/source`, `${root}/v`, how);
    await mounts.bind(`${root}/source`, `${root}/v`, how);
    assert.deepEqual(await world.seen(`${root}/v`), ["inside"]);
    assert.deepEqual(await mounts.boundAt(`${root}/source`), [`${root}/v`]);
    await mounts.unmount(`${root}/v`);
    assert.equal(await mounts.isMounted(`${root}/v`), false);
    await refused(mounts.bind(`${root}/source`, "/tmp", how), "give-up");
  },
  "make directories inside of a volume with its mode": async (world) => {
    const { files, mounts, root } = world;
    const volume = `${root}/vol`;
    await files.makeDirectory(volume, 0o755);
    await files.own(volume, { mode: 0o2771 });
    await mounts.makeInside(volume, "a/b");
    assert.equal((await files.stat(`${volume}/a`))?.mode, 0o2771);
    assert.equal((await files.stat(`${volume}/a/b`))?.mode, 0o2771);
    await files.own(`${volume}/a/b`, { mode: 0o700 });
    await mounts.makeInside(volume, "a/./b");
    assert.equal((await files.stat(`${volume}/a/b`))?.mode, 0o700);
    await files.link(`${volume}/in`, "a");
    await mounts.makeInside(volume, "in/c");
    assert.equal((await files.stat(`${volume}/a/c`))?.kind, "directory");
    await files.link(`${volume}/out`, "../elsewhere");
    await files.makeDirectory(`${root}/elsewhere`, 0o755);
    await assert.rejects(mounts.makeInside(volume, "out/c"));
    await mounts.makeInside(volume, "out");
    assert.deepEqual(await files.list(`${root}/elsewhere`), []);
    await assert.rejects(mounts.makeInside(`${root}/absent`, "a"));
  },
  "bind what is inside of a volume, and nothing else": async (world) => {
    const { files, mounts, root } = world;
    const volume = `${root}/vol`;
    await files.makeDirectory(`${volume}/a/b`, 0o755);
    await files.makeDirectory(`${volume}/other/c`, 0o755);
    await files.makeDirectory(`${root}/secret/d`, 0o755);
    const target = `${root}/sub/web/0`;
    const bind = (path: string) => mounts.bindInside({ volume, path, target });
    await bind("a");
    await bind("a");
    assert.deepEqual(await world.seen(target), ["b"]);
    // Another directory in its place.
    await bind("other");
    assert.deepEqual(await world.seen(target), ["c"]);
    await files.link(`${volume}/inside`, "a");
    await bind("inside");
    assert.deepEqual(await world.seen(target), ["b"]);
    await files.link(`${volume}/absolute`, `${volume}/other`);
    await bind("absolute");
    assert.deepEqual(await world.seen(target), ["c"]);
    for (const goal of ["../secret", `${root}/secret`]) {
      await files.link(`${volume}/out`, goal);
      await assert.rejects(bind("out"));
      await assert.rejects(bind("out/d"));
    }
    await assert.rejects(bind("absent"));
    await mounts.unmountBelow(`${root}/sub`);
    assert.deepEqual(await files.list(target), []);
    const elsewhere = { volume, path: "a", target: "/tmp/denolet-x" };
    await refused(mounts.bindInside(elsewhere), "give-up");
  },
  "bind a file, and a directory where a file was": async (world) => {
    const { files, mounts, root } = world;
    const volume = `${root}/vol`;
    const target = `${root}/sub/web/0`;
    await files.makeDirectory(`${volume}/d`, 0o755);
    await files.create(`${volume}/f`, bytes("text"), { mode: 0o600 });
    await mounts.bindInside({ volume, path: "f", target });
    assert.equal(await mounts.isMounted(target), true);
    assert.equal((await files.stat(target))?.kind, "file");
    await mounts.bindInside({ volume, path: "d", target });
    assert.equal((await files.stat(target))?.kind, "directory");
    await mounts.bindInside({ volume, path: "f", target });
    assert.equal((await files.stat(target))?.kind, "file");
    await mounts.unmount(target);
  },
  "give a volume to a group": async ({ files, mounts, root }) => {
    const volume = `${root}/vol`;
    await files.makeDirectory(`${volume}/d`, 0o755);
    await files.own(`${volume}/d`, { mode: 0o700 });
    await files.create(`${volume}/d/f`, bytes("x"), { mode: 0o4600 });
    await files.create(`${root}/outside`, bytes("x"), { mode: 0o600 });
    await files.link(`${volume}/l`, "../outside");
    const ask = {
      gid: 4242,
      isReadOnly: false,
      policy: "always",
      progress: () => undefined,
      signal: new AbortController().signal,
    } as const;
    const shown = async (path: string) => {
      const { mode = 0, gid } = await files.stat(`${root}/${path}`) ?? {};
      return `${mode.toString(8)} ${gid}`;
    };
    await mounts.giveGroup(volume, ask);
    assert.equal(await shown("vol"), "2775 4242");
    assert.equal(await shown("vol/d"), "2770 4242");
    assert.equal(await shown("vol/d/f"), "4660 4242");
    assert.equal(await shown("outside"), "600 0");
    await files.own(`${volume}/d/f`, { mode: 0o600, gid: 0 });
    await mounts.giveGroup(volume, { ...ask, isReadOnly: true });
    assert.equal(await shown("vol/d/f"), "640 4242");
  },
  "share a private directory while nothing is mounted in it": async (world) => {
    const { files, mounts, root } = world;
    await files.makeDirectory(`${root}/disk`, 0o755);
    await mounts.mountTmpfs(`${root}/disk`, {});
    await world.seclude(`${root}/disk`);
    for (const path of ["free", "used/v"]) {
      await files.makeDirectory(`${root}/disk/${path}`, 0o755);
    }
    await mounts.mountTmpfs(`${root}/disk/used/v`, {});
    assert.equal(await mounts.share(`${root}/disk/free`), "shared");
    assert.equal(await mounts.share(`${root}/disk/free`), "shared");
    for (let times = 0; times < 2; times++) {
      assert.equal(await mounts.share(`${root}/disk/used`), "left");
    }
    // What an earlier agent mounted can still go.
    await mounts.unmount(`${root}/disk/used/v`);
    await files.remove(`${root}/disk/used/v`);
    assert.equal(await mounts.share(`${root}/disk/used`), "shared");
  },
  "refuse what is no directory of ours": async ({ files, mounts, root }) => {
    await refused(mounts.mountTmpfs(`${root}/absent`, {}), "already-so");
    await files.makeDirectory(`${root}/d`, 0o755);
    await files.link(`${root}/l`, "d");
    await refused(mounts.mountTmpfs(`${root}/l`, {}), "give-up");
    await refused(mounts.mountTmpfs(`${root}/l/x`, {}), "give-up");
    await refused(mounts.mountTmpfs(`${root}/../d`, {}), "give-up");
    await refused(mounts.mountTmpfs("/tmp", {}), "give-up");
    await refused(mounts.unmount("/proc"), "give-up");
    assert.equal(await mounts.isMounted(`${root}/d`), false);
  },
};

async function refused(work: Promise<unknown>, next: Next): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof AgentError, String(error));
    assert.equal(error.next, next, error.message);
    return true;
  });
}
