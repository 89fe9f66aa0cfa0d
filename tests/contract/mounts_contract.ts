/**
 * What every `Mounts` promises. Run on the fake always and on a real temporary
 * directory, which takes a machine where this process may mount.
 */
import assert from "node:assert/strict";
import { AgentError, type Next } from "../../lib/base/errors.ts";
import type { Files, Mounts } from "../../lib/port/host.ts";

export interface MountsWorld {
  readonly files: Files;
  readonly mounts: Mounts;
  /** An existing empty directory. */
  readonly root: string;
  /** How large a file system at `path` may grow; undefined: not asked. */
  sizeBytes(path: string): Promise<bigint | undefined>;
  close(): Promise<void>;
}

const bytes = (text: string) => new TextEncoder().encode(text);

export function mountsContract(
  name: string,
  make: () => Promise<MountsWorld>,
  options: { readonly ignore: boolean } = { ignore: false },
) {
  for (const [promise, keep] of Object.entries(PROMISES)) {
    Deno.test({
      name: `Mounts (${name}) ${promise}`,
      ignore: options.ignore,
      fn: async () => {
        const world = await make();
        try {
          await keep(world);
        } finally {
          await world.mounts.unmount(`${world.root}/v`);
          await world.close();
        }
      },
    });
  }
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
