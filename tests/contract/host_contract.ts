/**
 * What every implementation of `Files` promises. Run on the fake always and
 * on a real temporary directory.
 */
import assert from "node:assert/strict";
import { AgentError, type Next } from "../../lib/base/errors.ts";
import type { Files } from "../../lib/port/host.ts";
import { testPromises } from "./promises.ts";

export interface FilesWorld {
  readonly files: Files;
  /** An existing empty directory. */
  readonly root: string;
  close(): Promise<void>;
}

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (read: Uint8Array | undefined) =>
  read && new TextDecoder().decode(read);
const never = () => new AbortController().signal;

export function filesContract(name: string, make: () => Promise<FilesWorld>) {
  testPromises({
    title: `Files (${name})`,
    make,
    keep: PROMISES,
    clear: (world) => world.close(),
  });
}

const PROMISES: Readonly<Record<string, (w: FilesWorld) => Promise<void>>> = {
  "tell absent from present": async ({ files, root }) => {
    const path = `${root}/a/b`;
    assert.equal(await files.stat(path), undefined);
    assert.equal(await files.list(path), undefined);
    assert.equal(await files.read(path, 10), undefined);
    assert.equal(await files.readLink(path), undefined);
    await files.remove(path);
    await files.removeTree(path);
  },
  "replace a file whole, with its mode": async ({ files, root }) => {
    const path = `${root}/f`;
    await files.replace(path, bytes("one"), 0o600);
    const first = await files.stat(path);
    assert.deepEqual([first?.kind, first?.sizeBytes], ["file", 3]);
    assert.equal(first?.mode, 0o600);
    await files.replace(path, bytes("twoo"), 0o644);
    const second = await files.stat(path);
    assert.equal(text(await files.read(path, 100)), "twoo");
    assert.equal(second?.mode, 0o644);
    assert.notEqual(first?.version, second?.version);
    assert.deepEqual(names(await files.list(root)), ["f file"]);
  },
  "overwrite a file in place": async ({ files, root }) => {
    const path = `${root}/f`;
    await files.overwrite(path, bytes("longer"), 0o644);
    const first = await files.stat(path);
    assert.deepEqual([first?.sizeBytes, first?.mode], [6, 0o644]);
    await files.overwrite(path, bytes("two"), 0o640);
    assert.equal(text(await files.read(path, 100)), "two");
    assert.equal((await files.stat(path))?.mode, 0o640);
    await files.link(`${root}/l`, path);
    await refused(files.overwrite(`${root}/l`, bytes("x"), 0o644), "give-up");
    await files.makeDirectory(`${root}/d`, 0o755);
    await refused(files.overwrite(`${root}/d`, bytes("x"), 0o644), "give-up");
    assert.equal(text(await files.read(path, 100)), "two");
    await refused(files.overwrite(`${root}/no/f`, bytes("x"), 0o644), "retry");
  },
  "refuse to read more than the limit": async ({ files, root }) => {
    await files.replace(`${root}/f`, bytes("12345"), 0o600);
    assert.equal(text(await files.read(`${root}/f`, 5)), "12345");
    await refused(files.read(`${root}/f`, 4), "give-up");
  },
  "refuse to read a directory": async ({ files, root }) => {
    await refused(files.read(root, 4), "give-up");
  },
  "refuse to write where no directory is": async ({ files, root }) => {
    await refused(files.replace(`${root}/no/f`, bytes(""), 0o600), "retry");
  },
  "make directories and keep the mode of old ones": async ({ files, root }) => {
    await files.makeDirectory(`${root}/a`, 0o700);
    await files.makeDirectory(`${root}/a/b/c`, 0o777);
    assert.equal((await files.stat(`${root}/a`))?.mode, 0o700);
    assert.equal((await files.stat(`${root}/a/b/c`))?.mode, 0o777);
    assert.equal((await files.stat(`${root}/a/b`))?.kind, "directory");
  },
  "list entries with their kinds": async ({ files, root }) => {
    await files.makeDirectory(`${root}/d`, 0o755);
    await files.replace(`${root}/.f`, bytes(""), 0o600);
    await files.link(`${root}/l`, "d");
    assert.deepEqual(names(await files.list(root)), [
      ".f file",
      "d directory",
      "l symlink",
    ]);
  },
  "touch a file without touching its content": async ({ files, root }) => {
    const path = `${root}/touched`;
    await files.touch(path, 0o666);
    assert.equal((await files.stat(path))?.mode, 0o666);
    await files.replace(path, bytes("kept"), 0o600);
    await files.touch(path, 0o644);
    assert.equal((await files.stat(path))?.mode, 0o644);
    assert.deepEqual(await files.read(path, 10), bytes("kept"));
  },

  "create a new file, and only a new one": async ({ files, root }) => {
    const path = `${root}/new`;
    await files.create(path, bytes("one"), { mode: 0o640 });
    assert.equal((await files.stat(path))?.mode, 0o640);
    const again = files.create(path, bytes("two"), { mode: 0o600 });
    await refused(again, "already-so");
    assert.equal(text(await files.read(path, 10)), "one");
  },
  "own files and directories, but no links": async ({ files, root }) => {
    const { uid, gid } = await files.stat(root) ?? { uid: 0, gid: 0 };
    await files.makeDirectory(`${root}/d`, 0o755);
    await files.own(`${root}/d`, { mode: 0o2775, gid });
    const found = await files.stat(`${root}/d`);
    assert.deepEqual([found?.mode, found?.uid, found?.gid], [0o2775, uid, gid]);
    await files.create(`${root}/f`, bytes(""), { mode: 0o600, uid, gid });
    await files.own(`${root}/f`, { mode: 0o440 });
    assert.equal((await files.stat(`${root}/f`))?.mode, 0o440);
    await files.link(`${root}/l`, "f");
    await refused(files.own(`${root}/l`, { mode: 0o777 }), "give-up");
    await refused(files.own(`${root}/none`, { mode: 0o777 }), "give-up");
  },
  "make, replace and read links": async ({ files, root }) => {
    await files.link(`${root}/l`, "one");
    await files.link(`${root}/l`, "two");
    assert.equal(await files.readLink(`${root}/l`), "two");
    await files.replace(`${root}/f`, bytes(""), 0o600);
    assert.equal(await files.readLink(`${root}/f`), undefined);
    assert.equal((await files.stat(`${root}/l`))?.kind, "symlink");
  },
  "follow no link, last or in between": async ({ files, root }) => {
    await files.makeDirectory(`${root}/d`, 0o755);
    await files.replace(`${root}/d/f`, bytes("x"), 0o600);
    await files.link(`${root}/in`, "d");
    await files.link(`${root}/out`, "/etc");
    await files.link(`${root}/last`, "d/f");
    await refused(files.read(`${root}/in/f`, 10), "give-up");
    await refused(files.read(`${root}/out/hostname`, 10), "give-up");
    await refused(files.read(`${root}/last`, 10), "give-up");
    await refused(files.list(`${root}/in`), "give-up");
    await refused(files.replace(`${root}/in/g`, bytes(""), 0o6), "give-up");
    await refused(files.removeTree(`${root}/in/f`), "give-up");
    await refused(files.read(`${root}/../f`, 10), "give-up");
    assert.equal(text(await files.read(`${root}/d/f`, 10)), "x");
  },
  "replace a link itself, not its target": async ({ files, root }) => {
    await files.replace(`${root}/f`, bytes("target"), 0o600);
    await files.link(`${root}/l`, "f");
    await files.replace(`${root}/l`, bytes("new"), 0o600);
    assert.equal(text(await files.read(`${root}/f`, 10)), "target");
    assert.equal(text(await files.read(`${root}/l`, 10)), "new");
  },
  "remove one entry, but no full directory": async ({ files, root }) => {
    await files.makeDirectory(`${root}/d/e`, 0o755);
    await refused(files.remove(`${root}/d`), "retry");
    await files.remove(`${root}/d/e`);
    await files.remove(`${root}/d`);
    assert.deepEqual(names(await files.list(root)), []);
  },
  "remove a tree, not what its links point to": async ({ files, root }) => {
    await files.makeDirectory(`${root}/t/a/b`, 0o755);
    await files.makeDirectory(`${root}/keep`, 0o755);
    await files.replace(`${root}/keep/f`, bytes("x"), 0o600);
    await files.link(`${root}/t/a/l`, "../../keep");
    await files.removeTree(`${root}/t`);
    assert.deepEqual(names(await files.list(root)), ["keep directory"]);
    assert.equal(text(await files.read(`${root}/keep/f`, 10)), "x");
  },
  "watch: once at the start, then after changes": async ({ files, root }) => {
    const stop = new AbortController();
    const seen = files.watch(root, stop.signal)[Symbol.asyncIterator]();
    await seen.next();
    await files.replace(`${root}/f`, bytes("x"), 0o600);
    assert.equal((await seen.next()).done, false);
    const next = seen.next();
    await files.remove(`${root}/f`);
    assert.equal((await next).done, false);
    const last = seen.next();
    stop.abort();
    while (!(await last).done && !(await seen.next()).done);
  },
  "end a watch when the directory goes": async ({ files, root }) => {
    await files.makeDirectory(`${root}/d`, 0o755);
    const seen = files.watch(`${root}/d`, never())[Symbol.asyncIterator]();
    await seen.next();
    const ended = refused(
      (async () => {
        for (;;) await seen.next();
      })(),
      "retry",
    );
    await files.removeTree(`${root}/d`);
    await ended;
    const again = files.watch(`${root}/d`, never())[Symbol.asyncIterator]();
    await refused(again.next(), "retry");
  },
};

function names(entries: Awaited<ReturnType<Files["list"]>>): string[] {
  return (entries ?? []).map(({ name, kind }) => `${name} ${kind}`).sort();
}

async function refused(work: Promise<unknown>, next: Next): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof AgentError, String(error));
    assert.equal(error.next, next, error.message);
    return true;
  });
}
