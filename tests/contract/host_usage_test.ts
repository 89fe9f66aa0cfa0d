/** `Usage` on this very machine: what any Linux can be asked. */
import assert from "node:assert/strict";
import { openLibc } from "../../lib/host/libc.ts";
import { LinuxUsage } from "../../lib/host/usage.ts";

async function withUsage(
  fn: (usage: LinuxUsage, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const libc = openLibc();
  try {
    // As the agent's binds, but without mounting.
    await Deno.symlink("/proc", `${folder}/proc`);
    await Deno.symlink("/sys/fs/cgroup", `${folder}/cgroup`);
    const paths = { runDir: folder, roots: [folder] };
    await fn(new LinuxUsage(libc, paths), folder);
  } finally {
    libc.close();
    await Deno.remove(folder, { recursive: true });
  }
}

const signal = AbortSignal.timeout(60_000);

Deno.test("usage: the root tells of processor and memory", () =>
  withUsage(async (usage) => {
    const use = await usage.cgroup("/", "everything");
    assert.ok((use?.cpu?.usageNs ?? 0n) > 0n);
    assert.ok((use?.memory?.usageBytes ?? 0n) > 0n);
    assert.ok((use?.memory?.workingSetBytes ?? 0n) > 0n);
    const { count, limit } = await usage.processes();
    assert.ok(count > 0n && limit > count);
  }));

Deno.test("usage: the machine's disks are told as df tells them", () =>
  withUsage(async (usage) => {
    const disks = await usage.machineDisks();
    const devices = disks.map(({ device }) => device);
    assert.equal(new Set(devices).size, devices.length);
    const { stdout } = await new Deno.Command("df", {
      args: ["--block-size=1", "--output=source,size"],
    }).output();
    const rows = new TextDecoder().decode(stdout).split("\n")
      .map((line) => line.trim().split(/\s+/));
    const sizes = new Map(rows.map(([source, size]) => [source, size]));
    for (const { device, capacityBytes, usedBytes } of disks) {
      if (sizes.has(device)) {
        assert.equal(sizes.get(device), String(capacityBytes));
      }
      assert.ok(usedBytes <= capacityBytes);
    }
  }));

Deno.test("usage: what is not there is undefined, what leads out refused", () =>
  withUsage(async (usage, folder) => {
    assert.equal(await usage.cgroup("/no/such", "everything"), undefined);
    assert.equal(await usage.processOf("/no/such"), undefined);
    assert.equal(await usage.network(2 ** 30), undefined);
    assert.equal(await usage.filesystem(`${folder}/none`), undefined);
    await assert.rejects(usage.cgroup("/a/../../b", "everything"));
  }));

Deno.test("usage: a tree counts as du does, links not followed", () =>
  withUsage(async (usage, folder) => {
    const tree = `${folder}/tree`;
    await Deno.mkdir(`${tree}/deep/er`, { recursive: true });
    await Deno.writeFile(`${tree}/a`, new Uint8Array(100_000));
    await Deno.link(`${tree}/a`, `${tree}/deep/same`);
    await Deno.writeFile(`${folder}/big`, new Uint8Array(5_000_000));
    await Deno.symlink(`${folder}/big`, `${tree}/deep/elsewhere`);
    await Deno.symlink(folder, `${tree}/deep/er/up`);
    const { stdout } = await new Deno.Command("du", {
      args: ["-s", "--block-size=1", tree],
    }).output();
    const expected = BigInt(
      /^\d+/.exec(new TextDecoder().decode(stdout))?.[0] ?? 0,
    );
    const found = await usage.tree(tree, signal);
    assert.equal(found.usedBytes, expected);
    assert.equal(found.inodes, 6n);
    const none = await usage.tree(`${folder}/none`, signal);
    assert.deepEqual(none, { usedBytes: 0n, inodes: 0n });
  }));
