/**
 * The host adapter with the grants of an installed agent: read and write
 * below its own directory, FFI of the C library, its own socket. Links, pipes
 * and devices placed by a hostile pod must lead nowhere.
 */
import assert from "node:assert/strict";
import { LIBC_PATHS } from "../../lib/host/libc.ts";

const EXPECTED = {
  "plain": "ok",
  "absolute link": "give-up",
  "relative link": "give-up",
  "through link": "give-up",
  "dotdot": "give-up",
  "fifo": "give-up",
  "device": "give-up",
  "outside": "give-up",
  "write through link": "give-up",
  "remove through link": "give-up",
  "trusted link": "ok",
  "trusted fifo": "give-up",
  "deep tree": "ok",
  "make and link": "ok",
  "race escapes": 0,
  "race reads some": true,
  "socket mode": "600",
  "second agent": "give-up",
  "answer": "hello",
  "stream": "abc",
  "failure": "500 Internal error",
  "nobody": "retry",
  "all granted": "prompt",
};

const ON_MOUNTS = {
  "bind": "ok",
  "bind again": "ok",
  "hostname": true,
  "kernel": true,
  "memory": true,
  "cpus": true,
  "boot id": true,
  "mount inside": "retry",
  "tmpfs": "ok",
  "mounted": true,
  "no tree over it": "retry",
  "node text": true,
  "unmounted": "ok",
  "host's own": "give-up",
  "outside kind": "file",
  "absent cgroup": "ok",
  "cgroup": "ok",
  "busy cgroup": "retry",
  "whole cgroup": "give-up",
  "unbound": 0,
};

Deno.test("host adapter refuses every escape under scoped grants", async () => {
  const root = await Deno.makeTempDir();
  const outside = await Deno.makeTempDir();
  const flipping = { isDone: false };
  const cgroups = await makeCgroups();
  try {
    await prepare(root, outside);
    const flips = flip(root, outside, flipping);
    const found = await runChild(root);
    flipping.isDone = true;
    await flips;
    const canMount = found["bind"] === "ok";
    if (!canMount) console.warn("SKIPPED: cannot mount here, no bind checks");
    const mounts = canMount
      ? { ...ON_MOUNTS, "ended cgroup": cgroups.hasKill ? "ok" : "retry" }
      : { bind: "give-up" };
    assert.deepEqual(found, { ...EXPECTED, ...mounts });
    assert.deepEqual(await Array.fromAsync(Deno.readDir(outside), nameOf), [
      "file",
    ]);
  } finally {
    flipping.isDone = true;
    await cgroups.close();
    await Deno.remove(root, { recursive: true });
    await Deno.remove(outside, { recursive: true });
  }
});

async function runChild(root: string): Promise<Record<string, unknown>> {
  const libc = await firstPresent(LIBC_PATHS);
  const socket = `${root}/run/agent.sock`;
  await Deno.mkdir(`${root}/run`);
  const child = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      `--allow-read=${root}`,
      `--allow-write=${root}`,
      `--allow-ffi=${libc}`,
      `--allow-net=unix:${socket}`,
      new URL("./host_child/scoped.ts", import.meta.url).pathname,
      root,
      libc,
      socket,
    ],
  }).output();
  const decoder = new TextDecoder();
  assert.ok(child.success, decoder.decode(child.stderr));
  return JSON.parse(decoder.decode(child.stdout));
}

async function prepare(root: string, outside: string): Promise<void> {
  await Deno.mkdir(`${root}/sub`);
  await Deno.writeTextFile(`${root}/plain`, "plain");
  await Deno.writeTextFile(`${outside}/file`, "outside");
  await Deno.symlink("/etc/passwd", `${root}/absolute-link`);
  await Deno.symlink("../../etc/passwd", `${root}/relative-link`);
  await Deno.symlink("/etc", `${root}/linked-dir`);
  await Deno.symlink("plain", `${root}/inner-link`);
  await Deno.symlink("fifo", `${root}/fifo-link`);
  await run("mkfifo", `${root}/fifo`);
  // Where making a device is not allowed, a link to one must do.
  if (!await run("mknod", `${root}/null`, "c", "1", "3")) {
    await Deno.symlink("/dev/null", `${root}/null`);
  }
  await deepTree(`${root}/deep`, 600);
  await Deno.mkdir(`${root}/flip`);
  await Deno.writeTextFile(`${root}/flip/file`, "inside");
  await Deno.symlink(outside, `${root}/flip-link`);
}

/** Deeper than we want to hold descriptors open for. */
async function deepTree(path: string, depth: number): Promise<void> {
  const step = `mkdir d; cd d; : > f; ln -s /etc l;`;
  const script = `cd ${path}; for i in $(seq ${depth}); do ${step} done`;
  await Deno.mkdir(path);
  assert.ok(await run("sh", "-c", script));
}

/** Swaps a directory and a link to the outside as fast as it can. */
async function flip(
  root: string,
  outside: string,
  state: { readonly isDone: boolean },
): Promise<void> {
  while (!state.isDone) {
    for (const [from, to] of [["flip", "old"], ["flip-link", "flip"]]) {
      Deno.renameSync(`${root}/${from}`, `${root}/${to}`);
    }
    await Promise.resolve();
    Deno.renameSync(`${root}/flip`, `${root}/flip-link`);
    Deno.renameSync(`${root}/old`, `${root}/flip`);
    await pause();
  }
  assert.equal(await Deno.readTextFile(`${outside}/file`), "outside");
}

function pause(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, 0);
  return promise;
}

/** One empty pod cgroup with a child, one with a process in it. */
async function makeCgroups(): Promise<
  {
    /** Version 1 alone cannot end what is in a cgroup. */
    readonly hasKill: boolean;
    close(): Promise<void>;
  }
> {
  const top = "/sys/fs/cgroup";
  const hierarchies = await isPresent(`${top}/cgroup.controllers`)
    ? [top]
    : [`${top}/pids`, `${top}/memory`, `${top}/unified`];
  const sleeper = new Deno.Command("sleep", { args: ["120"] }).spawn();
  let hasEnded = false;
  sleeper.status.then(() => hasEnded = true);
  let hasKill = false;
  for (const each of hierarchies) {
    if (!await isPresent(each)) continue;
    const made = await run("mkdir", "-p", `${each}/denolet-test-pod/a/b`) &&
      await run("mkdir", "-p", `${each}/denolet-test-busy`);
    if (!made) continue;
    const procs = `${each}/denolet-test-busy/cgroup.procs`;
    await run("sh", "-c", `echo ${sleeper.pid} > ${procs}`);
    hasKill ||= await isPresent(`${each}/denolet-test-busy/cgroup.kill`);
  }
  return {
    hasKill,
    async close() {
      if (!hasEnded) sleeper.kill("SIGKILL");
      await sleeper.status;
      for (const each of hierarchies) {
        await run("rmdir", `${each}/denolet-test-busy`);
      }
    },
  };
}

async function run(command: string, ...args: string[]): Promise<boolean> {
  const { success } = await new Deno.Command(command, { args }).output();
  return success;
}

async function firstPresent(paths: readonly string[]): Promise<string> {
  for (const path of paths) if (await isPresent(path)) return path;
  throw new Error(`None of ${paths.join(", ")} is present`);
}

function isPresent(path: string): Promise<boolean> {
  return Deno.stat(path).then(() => true, () => false);
}

function nameOf(entry: Deno.DirEntry): string {
  return entry.name;
}
