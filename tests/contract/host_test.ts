import assert from "node:assert/strict";
import { openLibc } from "../../lib/host/libc.ts";
import { HostFiles } from "../../lib/host/files.ts";
import { hostPathsOf } from "../../lib/host/host_paths.ts";
import { HostMounts } from "../../lib/host/tmpfs.ts";
import { FakeFiles } from "../fakes/fake_host.ts";
import { FakeMounts } from "../fakes/fake_mounts.ts";
import { filesContract } from "./host_contract.ts";
import { mountsContract } from "./mounts_contract.ts";

const isRoot = Deno.uid() === 0;

if (!isRoot) {
  console.warn("SKIPPED: real mounts are not tried, because we are not root");
}

filesContract("fake", async () => {
  const files = new FakeFiles();
  await files.makeDirectory("/root", 0o755);
  return { files, root: "/root", close: () => Promise.resolve() };
});

filesContract("real", async () => {
  const root = await Deno.makeTempDir();
  const libc = openLibc();
  const files = new HostFiles({ libc, roots: [root], links: "refuse" });
  const close = async () => {
    libc.close();
    await Deno.remove(root, { recursive: true });
  };
  return { files, root, close };
});

mountsContract("fake", async () => {
  const files = new FakeFiles();
  await files.makeDirectory("/root", 0o755);
  const mounts = new FakeMounts(files, "/root");
  const sizeBytes = (path: string) => Promise.resolve(mounts.sizes.get(path));
  const seen = async (path: string) => {
    const entries = await files.list(mounts.bound.get(path) ?? path);
    return (entries ?? []).map(({ name }) => name).sort();
  };
  const seclude = (path: string) =>
    Promise.resolve(void mounts.privates.add(path));
  const close = () => Promise.resolve();
  const root = "/root";
  return { files, mounts, root, seen, sizeBytes, seclude, close };
});

mountsContract("real", async () => {
  const root = await Deno.makeTempDir();
  const libc = openLibc();
  const trees = { libc, roots: [root], links: "refuse" } as const;
  return {
    files: new HostFiles(trees),
    mounts: new HostMounts(trees),
    root,
    seen: (path) =>
      Promise.resolve(
        [...Deno.readDirSync(path)].map(({ name }) => name).sort(),
      ),
    sizeBytes: async (path) => {
      const text = await Deno.readTextFile("/proc/self/mountinfo");
      const line = text.split("\n").find((each) => each.includes(` ${path} `));
      const size = /\bsize=(\d+)k/.exec(line ?? "")?.[1];
      return size === undefined ? undefined : BigInt(size) * 1024n;
    },
    seclude: async (path) => {
      const args = ["--make-private", path];
      await new Deno.Command("mount", { args }).output();
    },
    close: async () => {
      libc.close();
      await Deno.remove(root, { recursive: true });
    },
  };
}, { ignore: !isRoot });

Deno.test(
  "HostMounts takes away what is mounted twice, and says what is busy",
  {
    ignore: !isRoot,
  },
  async () => {
    const root = await Deno.makeTempDir();
    const libc = openLibc();
    const trees = { libc, roots: [root], links: "refuse" } as const;
    const mounts = new HostMounts(trees);
    const path = `${root}/v`;
    await Deno.mkdir(path);
    try {
      await mounts.mountTmpfs(path, {});
      const again = { type: "tmpfs", flags: 0, data: "" };
      assert.equal(libc.mount("tmpfs", path, again), 0);
      const file = await Deno.create(`${path}/open`);
      await assert.rejects(mounts.unmount(path), { next: "retry" });
      file.close();
      await mounts.unmount(path);
      assert.equal(await mounts.isMounted(path), false);
    } finally {
      await mounts.unmount(path);
      libc.close();
      await Deno.remove(root, { recursive: true });
    }
  },
);

Deno.test("HostPaths of Linux tell kinds through links, and make what is missing", async () => {
  const root = await Deno.makeTempDir();
  const libc = openLibc();
  const paths = hostPathsOf(libc);
  const socket = Deno.listen({ transport: "unix", path: `${root}/s` });
  try {
    await Deno.mkdir(`${root}/d`);
    await Deno.writeTextFile(`${root}/f`, "kept");
    await Deno.symlink("f", `${root}/l`);
    await Deno.symlink("nothing", `${root}/dead`);
    const cases: [string, string | undefined][] = [
      [`${root}/d`, "directory"],
      [`${root}/f`, "file"],
      [`${root}/l`, "file"],
      [`${root}/s`, "socket"],
      [`${root}/dead`, undefined],
      [`${root}/f/x`, undefined],
      ["/dev/null", "char-device"],
    ];
    for (const [path, kind] of cases) {
      assert.equal(await paths.kindOf(path), kind, path);
    }
    await assert.rejects(paths.kindOf("/proc/self/root/etc"));
    await assert.rejects(paths.kindOf(`${root}/../etc`));
    await paths.makeDirectory(`${root}/l2/a/b`, 0o755);
    assert.equal(await paths.kindOf(`${root}/l2/a/b`), "directory");
    await Deno.symlink("d", `${root}/ld`);
    await paths.makeDirectory(`${root}/ld/inside`, 0o755);
    assert.equal(await paths.kindOf(`${root}/d/inside`), "directory");
    await paths.makeFile(`${root}/new`, 0o644);
    await paths.makeFile(`${root}/f`, 0o644);
    assert.equal(await paths.kindOf(`${root}/new`), "file");
    assert.equal(await Deno.readTextFile(`${root}/f`), "kept");
  } finally {
    socket.close();
    libc.close();
    await Deno.remove(root, { recursive: true });
  }
});
