/**
 * The one file that is copied onto a node: it starts with what it was built
 * with, under both of its names, and whatever is wrong with it or with the
 * machine is one line and no damage. Where there is a `denort`, the compiled
 * form passes the same tests.
 */
import assert from "node:assert/strict";
import { makeScratchPackage } from "../../deploy/package.ts";
import { stopAgent } from "../../deploy/world.ts";
import { isHealthy } from "../../deploy/world/agent.ts";
import { CHECKOUT, nodeTest, until, world } from "./agent_world.ts";

const FOLDER = "/var/tmp/denolet-package-test";
const HOME = `${FOLDER}/home`;

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function start(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const output = await new Deno.Command("timeout", {
    args: ["-s", "KILL", "20", program, ...args],
    env: { DENOLET_HOME: HOME, NO_COLOR: "1", ...env },
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return {
    code: output.code,
    out: text(output.stdout),
    err: text(output.stderr),
  };
}

async function sh(script: string): Promise<void> {
  const { code, stderr } = await new Deno.Command("/bin/sh", {
    args: ["-euc", script],
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
}

/** Builds each form that can be built here, once. */
async function forms(): Promise<ReadonlyMap<string, string>> {
  await Deno.mkdir(FOLDER, { recursive: true });
  const packed = `${FOLDER}/denolet`;
  await makeScratchPackage(packed);
  const found = new Map([["package", packed]]);
  if (Deno.env.get("DENORT_BIN") === undefined) {
    console.warn("SKIP: the compiled form, because DENORT_BIN names no denort");
    return found;
  }
  await sh(
    `cd ${CHECKOUT} && ${Deno.execPath()} run -A deploy/compile.ts ` +
      `--set scratch --output ${FOLDER}/compiled/denolet`,
  );
  return found.set("compiled", `${FOLDER}/compiled/denolet`);
}

async function refuses(
  outcome: Promise<Outcome>,
  expected: RegExp,
): Promise<void> {
  const { code, out, err } = await outcome;
  assert.notEqual(code, 0, err);
  assert.equal(out, "");
  assert.match(err, expected);
  assert.equal(err.trim().split("\n").length, 1, err);
}

async function homeHolds(): Promise<readonly string[]> {
  return await Array.fromAsync(Deno.readDir(HOME), ({ name }) => name);
}

async function answers(form: string, program: string): Promise<void> {
  const kubelet = `${program.replace(/[^/]*$/, "")}kubelet`;
  await Deno.symlink(program, kubelet);
  for (const each of [program, kubelet]) {
    const { code, out, err } = await start(each, ["--version"]);
    assert.equal(code, 0, err);
    assert.match(out, /^Kubernetes v1\.36\.3\+denolet\.\d+\.\d+\.\d+\n$/);
  }
  const about = JSON.parse(
    (await start(program, ["version", "-o", "json"])).out,
  );
  assert.equal(about.form, form);
  assert.equal(about.permissionSet, "scratch");
  assert.match(about.permissionDigest, /^[0-9a-f]{64}$/);
  // Its set does not let it read what is outside.
  await refuses(
    start(program, ["check-config", "--config=/etc/passwd"]),
    /^denolet: Cannot read \/etc\/passwd: .*read access/,
  );
  if (form === "package") await isAscii();
  await isAgent(program, "denolet");
  await isAgent(kubelet, "kubelet");
}

/** Else the runtime keeps two bytes of each letter. */
async function isAscii(): Promise<void> {
  const [own] = await homeHolds();
  const text = await Deno.readFile(`${HOME}/${own}/denolet.js`);
  assert.ok(text.every((byte) => byte < 0x80));
}

/** It does the work, under the name by which it was called. */
async function isAgent(program: string, comm: string): Promise<void> {
  await stopAgent(world);
  const child = new Deno.Command(program, {
    args: [
      ...[`--config=${world.agentConfig}`, `--hostname-override=${world.name}`],
      `--host-root=${world.hostRoot}`,
    ],
    env: { DENOLET_HOME: HOME },
    ...{ stdin: "null", stdout: "null", stderr: "null" },
  }).spawn();
  await until("a healthy agent", () => isHealthy(world));
  const name = await Deno.readTextFile(`/proc/${child.pid}/comm`);
  assert.equal(name.trim(), comm, "the pid stays, ps finds it by this name");
  child.kill("SIGTERM");
  assert.equal((await child.status).code, 0);
}

async function damaged(packed: string): Promise<void> {
  const other = `${FOLDER}/damaged`;
  await sh(`head -c 20000000 ${packed} >${other}; chmod 755 ${other}`);
  await refuses(
    start(other, ["--version"]),
    /damaged: it has 20000000 bytes of \d+; copy it again/,
  );
  await sh(
    `cp ${packed} ${other}; printf X | dd of=${other} bs=1 seek=9000000 ` +
      "conv=notrunc status=none",
  );
  const env = { DENOLET_HOME: `${FOLDER}/other` };
  await refuses(
    start(other, ["--version"], env),
    /its content has changed .*copy it again/,
  );
  await assert.rejects(Deno.lstat(env.DENOLET_HOME), Deno.errors.NotFound);
  await sh(
    `sed 's/= x86_64 ]/= s390x ]/;s/= aarch64 ]/= s390x ]/' ${packed} ` +
      `>${other}; chmod 755 ${other}`,
  );
  await refuses(start(other, ["--version"]), /it is for \w+, and this machine/);
}

async function unpackedBadly(packed: string): Promise<void> {
  const [own] = await homeHolds();
  const script = `${HOME}/${own}/denolet.js`;
  const text = await Deno.readTextFile(script);
  await Deno.writeTextFile(script, `${text}\n// more`);
  await refuses(
    start(packed, ["--version"]),
    /it has changed; remove it, and the next start unpacks it again/,
  );
  await Deno.remove(`${HOME}/${own}`, { recursive: true });
  const both = await Promise.all([1, 2, 3].map(() => start(packed, ["help"])));
  assert.deepEqual(both.map(({ code }) => code), [0, 0, 0]);
  assert.deepEqual(await homeHolds(), [own], "each found one whole copy");
}

/** A small file system that is full, one without programs, one to read only. */
async function noRoom(packed: string): Promise<void> {
  const small = `${FOLDER}/small`;
  await sh(`mkdir ${small}; mount -t tmpfs -o size=30m tmpfs ${small}`);
  const env = { DENOLET_HOME: `${small}/home` };
  try {
    await refuses(
      start(packed, ["--version"], env),
      /Cannot unpack into \S+: it takes \d+ MiB, and (29|30) MiB are free/,
    );
    const left = await Array.fromAsync(Deno.readDir(env.DENOLET_HOME));
    assert.deepEqual(left, []);
    await sh(`mount -o remount,size=300m,noexec ${small}`);
    await refuses(start(packed, ["--version"], env), /Cannot run .*deno: /);
    await sh(`rmdir ${small}/home; mount -o remount,ro ${small}`);
    await refuses(
      start(packed, ["--version"], env),
      /it cannot be written; name another directory: DENOLET_HOME=/,
    );
  } finally {
    await sh(`umount ${small}; rmdir ${small}`);
  }
}

nodeTest(
  "each form of the program starts, and says what is wrong",
  async () => {
    try {
      const found = await forms();
      for (const [form, program] of found) await answers(form, program);
      const packed = found.get("package") ?? "";
      const again = `${FOLDER}/again`;
      await makeScratchPackage(again);
      await sh(`cmp ${packed} ${again}`);
      await damaged(packed);
      await unpackedBadly(packed);
      await noRoom(packed);
    } finally {
      await Deno.remove(FOLDER, { recursive: true });
    }
  },
);
