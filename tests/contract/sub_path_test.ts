/**
 * Paths inside of volumes on a real machine: what hostile containers put
 * there, and the race between looking and binding.
 */
import assert from "node:assert/strict";
import { LIBC_PATHS, openLibc } from "../../lib/host/libc.ts";
import { HostMounts } from "../../lib/host/tmpfs.ts";

const isRoot = Deno.uid() === 0;
/** The race ends with whichever comes first; a slow machine tries less. */
const MOST_TRIES = 3000;
const RACE_MS = 6000;
const LEAST_TRIES = 100;

interface Place {
  readonly root: string;
  readonly volume: string;
  readonly outside: string;
  readonly target: string;
  readonly mounts: HostMounts;
  bind(path: string): Promise<void>;
}

function onMachine(name: string, check: (place: Place) => Promise<void>) {
  Deno.test(name, { ignore: !isRoot }, async () => {
    const top = await Deno.realPath(await Deno.makeTempDir());
    const root = `${top}/kubelet`;
    const volume = `${root}/pods/u/volumes/kubernetes.io~empty-dir/v`;
    const target = `${root}/pods/u/volume-subpaths/v/web/0`;
    const outside = `${top}/outside`;
    await Deno.mkdir(volume, { recursive: true });
    await Deno.mkdir(outside);
    await Deno.writeTextFile(`${outside}/shadow`, "secret");
    const libc = openLibc();
    const mounts = new HostMounts({ libc, roots: [root], links: "refuse" });
    const bind = (path: string) => mounts.bindInside({ volume, path, target });
    try {
      await check({ root, volume, outside, target, mounts, bind });
    } finally {
      await mounts.unmountBelow(root);
      libc.close();
      await Deno.remove(top, { recursive: true });
    }
  });
}

onMachine(
  "S01 a link in a volume never shows a file of the host",
  async ({ volume, outside, target, mounts, bind }) => {
    await Deno.symlink(outside, `${volume}/link`);
    await Deno.symlink(`${outside}/new`, `${volume}/dangling`);
    await Deno.symlink("/proc/1/root", `${volume}/magic`);
    await Deno.symlink("loop", `${volume}/loop`);
    const paths = ["link", "link/shadow", "dangling", "magic/etc", "loop"];
    for (const path of paths) {
      await assert.rejects(bind(path), path);
      assert.equal(await mounts.isMounted(target), false);
    }
    for (const path of ["link/made", "dangling", "magic/tmp/made", "loop/x"]) {
      await assert.rejects(mounts.makeInside(volume, path), path);
    }
    assert.deepEqual([...Deno.readDirSync(outside)].map((e) => e.name), [
      "shadow",
    ]);
  },
);

onMachine(
  "S03 pipes, sockets, devices and files are bound without a wait",
  async ({ volume, target, mounts, bind }) => {
    await run("mkfifo", `${volume}/pipe`);
    await Deno.writeTextFile(`${volume}/file`, "text");
    const listener = Deno.listen({
      transport: "unix",
      path: `${volume}/socket`,
    });
    const names = ["pipe", "socket", "file"];
    if (await run("mknod", `${volume}/null`, "c", "1", "3")) names.push("null");
    const startedAt = performance.now();
    for (const name of names) {
      await bind(name);
      assert.equal(await mounts.isMounted(target), true, name);
      assert.equal(
        Deno.statSync(target).ino,
        Deno.lstatSync(`${volume}/${name}`).ino,
      );
    }
    assert.ok(performance.now() - startedAt < 2000);
    listener.close();
    await assert.rejects(bind("file/inside"));
    await assert.rejects(mounts.makeInside(volume, "file/inside"));
    await assert.rejects(bind("../v"));
  },
);

onMachine(
  "S02 a directory that is swapped for a link while it is bound never lets one out",
  async ({ volume, outside, target, mounts, bind }) => {
    await Deno.mkdir(`${volume}/dir/deep`, { recursive: true });
    await Deno.writeTextFile(`${volume}/dir/deep/inside`, "");
    await Deno.mkdir(`${outside}/deep`);
    await Deno.symlink(outside, `${volume}/link`);
    const secret = inode(`${outside}/deep`);
    const good = inode(`${volume}/dir/deep`);
    const flipper = flip(`${volume}/dir`, `${volume}/link`);
    const counts = { tries: 0, inside: 0, refused: 0 };
    try {
      const endAt = performance.now() + RACE_MS;
      while (counts.tries < MOST_TRIES && performance.now() < endAt) {
        counts.tries++;
        // Another container makes a directory there meanwhile.
        await mounts.makeInside(volume, "dir/deep").catch(() => undefined);
        try {
          await bind("dir/deep");
          const found = inode(target);
          assert.notEqual(found, secret, "the host's directory was bound");
          assert.equal(found, good);
          counts.inside++;
          await mounts.unmount(target);
        } catch (error) {
          if (error instanceof assert.AssertionError) throw error;
          counts.refused++;
          assert.equal(await mounts.isMounted(target), false);
        }
      }
    } finally {
      await flipper.stop();
    }
    assert.ok(counts.tries >= LEAST_TRIES, JSON.stringify(counts));
    assert.ok(counts.inside > 0, JSON.stringify(counts));
    assert.ok(counts.refused > 0, JSON.stringify(counts));
    const names = [...Deno.readDirSync(outside)].map(({ name }) => name);
    assert.deepEqual(names.sort(), ["deep", "shadow"]);
  },
);

onMachine(
  "giveGroup() of a large volume lets other work go on, and follows no link",
  async ({ volume, outside, mounts }) => {
    for (let dir = 0; dir < 20; dir++) {
      await Deno.mkdir(`${volume}/${dir}`);
      for (let file = 0; file < 200; file++) {
        Deno.writeTextFileSync(`${volume}/${dir}/${file}`, "");
      }
    }
    await Deno.symlink(outside, `${volume}/link`);
    await Deno.symlink(`${outside}/shadow`, `${volume}/0/link`);
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    const counts: number[] = [];
    await mounts.giveGroup(volume, {
      gid: 4242,
      isReadOnly: false,
      policy: "on-root-mismatch",
      progress: (count) => counts.push(count),
      signal: new AbortController().signal,
    });
    clearInterval(timer);
    assert.equal(Deno.statSync(`${volume}/19/199`).gid, 4242);
    assert.equal(Deno.lstatSync(`${volume}/link`).gid, 4242);
    assert.equal(Deno.statSync(outside).gid, 0);
    assert.equal(Deno.statSync(`${outside}/shadow`).gid, 0);
    // 4023 entries in slices of 128, with a turn for others after each.
    assert.ok(counts.length >= 31, `${counts.length} slices`);
    assert.ok(turns >= 10, `${turns} turns`);
    // The root is as it should be now: nothing below is looked at.
    Deno.chownSync(`${volume}/19/199`, 0, 7);
    await mounts.giveGroup(volume, {
      gid: 4242,
      isReadOnly: false,
      policy: "on-root-mismatch",
      progress: () => undefined,
      signal: new AbortController().signal,
    });
    assert.equal(Deno.statSync(`${volume}/19/199`).gid, 7);
  },
);

onMachine(
  "a directory bound on itself shares what is mounted in it",
  async ({ root, mounts }) => {
    const shared = `${root}/shared`;
    await Deno.mkdir(shared);
    await mounts.share(shared);
    await mounts.share(shared);
    const lines = Deno.readTextFileSync("/proc/self/mountinfo").split("\n")
      .filter((line) => line.includes(` ${shared} `));
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? "", / shared:\d+ /);
  },
);

function inode(path: string): string {
  const { dev, ino } = Deno.statSync(path);
  return `${dev}:${ino}`;
}

/** Exchanges two names as fast as another process can. */
function flip(one: string, other: string) {
  const script = `
    const [one, other] = Deno.args.map((each) =>
      new TextEncoder().encode(each + "\\0"));
    for (const path of ${JSON.stringify(LIBC_PATHS)}) {
      try {
        const { symbols } = Deno.dlopen(path, { renameat2: {
          parameters: ["i32", "buffer", "i32", "buffer", "u32"],
          result: "i32",
        } });
        for (;;) symbols.renameat2(-100, one, -100, other, 2);
      } catch (error) { if (!String(error).includes("open")) throw error; }
    }`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-config", script, one, other],
    stdout: "null",
    stderr: "null",
  }).spawn();
  return {
    async stop() {
      child.kill("SIGKILL");
      await child.status;
    },
  };
}

async function run(command: string, ...args: string[]): Promise<boolean> {
  const { success } = await new Deno.Command(command, { args }).output();
  return success;
}
