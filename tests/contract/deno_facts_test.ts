/**
 * What the design takes for granted of Deno's permissions. A newer Deno that
 * changes one of these fails here, before it surprises a node. Bind mounts and
 * openat2 under scoped grants are in host_scoped_test.ts, a certificate that
 * was not proven in lib/host/node_listener_test.ts.
 */
import assert from "node:assert/strict";

interface Told {
  readonly said: string;
  readonly complaint: string;
}

/** Prints `refused`, or what the expression is. */
async function told(
  flags: readonly string[],
  expression: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Told> {
  const program = `try { console.log(String(${expression})) } catch (error) {` +
    `console.log(/NotCapable/.test(error.name + error.message)` +
    ` ? "refused" : error.name) }`;
  const output = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-prompt", "--no-check", "--no-config"],
      ...flags,
      `data:text/javascript,${encodeURIComponent(program)}`,
    ],
    stdin: "null",
    env: { NO_COLOR: "1", ...env },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  return { said: text(output.stdout), complaint: text(output.stderr) };
}

async function inFolder(
  work: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const PROC = `Deno.readTextFileSync("/proc/1/environ") && "read"`;
const VERSION = `Deno.readTextFileSync("/proc/version") && "read"`;

Deno.test("Deno refuses /proc, /sys and /dev unless all is granted", async () => {
  for (const path of ["/proc/version", "/sys/kernel/mm", "/dev/kmsg"]) {
    const look =
      `Deno.statSync("${path}") && Deno.openSync("${path}") && "read"`;
    assert.equal((await told(["--allow-read"], look)).said, "refused", path);
    const scoped = await told([`--allow-read=${path}`], look);
    assert.equal(scoped.said, "refused", path);
  }
  assert.equal((await told(["-A"], VERSION)).said, "read");
  const denied = await told(["-A", "--deny-run=/bin/none"], PROC);
  assert.equal(denied.said, "refused", "one refusal beside all ends all");
});

Deno.test("Deno's path scopes do not stop symbolic links", async () => {
  await inFolder(async (folder) => {
    await Deno.symlink("/etc/passwd", `${folder}/link`);
    const flags = [`--allow-read=${folder}`];
    const read = `Deno.readTextFileSync("${folder}/link") && "read"`;
    assert.equal((await told(flags, read)).said, "read");
    const flag = `(await import("node:fs")).constants.O_NOFOLLOW`;
    const open =
      `(await import("node:fs")).openSync("${folder}/link", ${flag})` +
      ` && "opened"`;
    assert.equal(
      (await told(flags, open)).said,
      "opened",
      "O_NOFOLLOW is lost",
    );
  });
});

Deno.test("Deno asks for grants by the path as it is written", async () => {
  await inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/real`);
    await Deno.symlink("real", `${folder}/link`);
    const ask = (name: string) =>
      `(await Deno.permissions.query({ name: "read", ` +
      `path: "${folder}/${name}/file" })).state`;
    const flags = [`--allow-read=${folder}/link`];
    assert.equal((await told(flags, ask("link"))).said, "granted");
    assert.equal((await told(flags, ask("real"))).said, "prompt");
    // What is asked and what is opened agree: no start is refused in vain.
    await Deno.writeTextFile(`${folder}/real/file`, "");
    const open = (name: string) =>
      `Deno.openSync("${folder}/${name}/file") && "opened"`;
    assert.equal((await told(flags, open("link"))).said, "opened");
    assert.equal((await told(flags, open("real"))).said, "refused");
    const real = [`--allow-read=${folder}/real`];
    assert.equal((await told(real, ask("link"))).said, "prompt");
    assert.equal((await told(real, open("link"))).said, "refused");
  });
});

Deno.test("Deno makes links, signals and pointers only unscoped", async () => {
  await inFolder(async (folder) => {
    const link = `Deno.symlinkSync("/etc/passwd", "${folder}/link") ?? "made"`;
    const scoped = [`--allow-read=${folder},/etc`, `--allow-write=${folder}`];
    assert.equal((await told(scoped, link)).said, "refused");
    const wide = ["--allow-read", "--allow-write"];
    assert.equal((await told(wide, link)).said, "made");
  });
  const kill = `Deno.kill(Deno.ppid, "SIGCONT") ?? "sent"`;
  assert.equal((await told(["--allow-run=/bin/true"], kill)).said, "refused");
  assert.equal((await told(["--allow-run"], kill)).said, "sent");
  const point = `Deno.UnsafePointer.of(new Uint8Array(1)) && "made"`;
  assert.equal((await told(["--allow-ffi=/lib/none"], point)).said, "refused");
  assert.equal((await told(["--allow-ffi"], point)).said, "made");
});

Deno.test("Deno takes exact sockets, and ranges of IPv4 only", async () => {
  const ask = (host: string) =>
    `(await Deno.permissions.query({ name: "net", host: "${host}" })).state`;
  const flags = ["--allow-net=unix:/run/a.sock,10.1.0.0/16"];
  const rows = [
    ["unix:/run/a.sock", "granted"],
    ["unix:/run/a.sock2", "prompt"],
    ["10.1.2.3", "granted"],
    ["10.1.2.3:80", "granted"],
    ["10.2.0.1", "prompt"],
  ] as const;
  for (const [host, state] of rows) {
    assert.equal((await told(flags, ask(host))).said, state, host);
  }
  for (const range of ["fd00::/8", "[fd00::]/8", "[fd00::/8]"]) {
    const { complaint } = await told([`--allow-net=${range}`], "1");
    assert.match(complaint, /invalid|enclosed in square brackets/i, range);
  }
});

Deno.test("Deno grants nothing more at run time", async () => {
  const request = `(await Deno.permissions.request({ name: "read", ` +
    `path: "/etc/passwd" })).state`;
  assert.notEqual((await told([], request)).said, "granted");
  const after = `(await Deno.permissions.request({ name: "read" })) && ` +
    `Deno.readTextFileSync("/etc/passwd")`;
  assert.equal((await told([], after)).said, "refused");
});

Deno.test("Deno gives a worker no more than its maker has", async () => {
  await inFolder(async (folder) => {
    const flags = [`--allow-read=${folder}`, "--unstable-worker-options"];
    const make = (path: string) =>
      `new Worker("data:text/javascript,0", { type: "module", deno: ` +
      `{ permissions: { read: ["${path}"] } } }).terminate() ?? "made"`;
    assert.equal((await told(flags, make(folder))).said, "made");
    assert.equal((await told(flags, make("/etc/passwd"))).said, "refused");
    // The sets are used without that flag, which ends the process.
    const [scoped = ""] = flags;
    const { said, complaint } = await told([scoped], make(folder));
    assert.equal(said, "");
    assert.match(complaint, /--unstable-worker-options/);
  });
});

Deno.test("Deno has nothing behind process.binding", async () => {
  const names = `Object.keys((await import("node:process")).default` +
    `.binding("fs")).length`;
  assert.equal((await told(["-A"], names)).said, "0");
});

Deno.test("Deno lets a program signal itself, and nothing else", async () => {
  const signal = (pid: string) =>
    `(await import("node:process")).default.kill(${pid}, "SIGCONT")`;
  assert.equal((await told([], signal("Deno.pid"))).said, "true");
  assert.equal((await told([], signal("Deno.ppid"))).said, "refused");
});

Deno.test("Deno writes each use of a permission to the audit log", async () => {
  await inFolder(async (folder) => {
    const file = `${folder}/audit.jsonl`;
    await told(
      ["--allow-read=/etc"],
      `Deno.readTextFileSync("/etc/passwd") && "read"`,
      { DENO_AUDIT_PERMISSIONS: file },
    );
    const lines = (await Deno.readTextFile(file)).trim().split("\n")
      .map((line) => JSON.parse(line));
    const found = lines.find(({ value }) => value === "/etc/passwd");
    assert.equal(found?.permission, "read", JSON.stringify(lines));
  });
});
