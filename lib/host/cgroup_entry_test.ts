/**
 * Moving in, on a machine that may not have this version: plain files stand
 * for those of the kernel. The real one is tried in tests/contract.
 */
import assert from "node:assert/strict";
import { pathIn } from "./cgroup_entry.ts";
import { HostCgroups } from "./cgroups.ts";
import { openLibc } from "./libc.ts";

const ALL = "cpuset cpu io memory hugetlb pids rdma";

async function inTree(
  files: Readonly<Record<string, string>>,
  fn: (
    cgroups: HostCgroups,
    read: (path: string) => Promise<string>,
  ) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const libc = openLibc();
  const top = `${folder}/cgroup`;
  try {
    for (const [path, text] of Object.entries(files)) {
      const full = `${top}/${path}`;
      await Deno.mkdir(full.slice(0, full.lastIndexOf("/")), {
        recursive: true,
      });
      await Deno.writeTextFile(full, text);
    }
    await fn(
      new HostCgroups(libc, { runDir: folder }),
      (path) => Deno.readTextFile(`${top}/${path}`),
    );
  } finally {
    libc.close();
    await Deno.remove(folder, { recursive: true });
  }
}

const UNIFIED = {
  "cgroup.controllers": ALL,
  "cgroup.subtree_control": ALL,
  "cgroup.procs": "",
  "system.slice/cgroup.controllers": "cpu memory pids",
  "system.slice/cgroup.procs": "",
};

Deno.test("pathIn() finds where a process is", () => {
  const hybrid = "9:name=systemd:/a\n4:memory:/b/c\n2:cpu,cpuacct:/\n0::/d:e\n";
  const table: [string, string | undefined][] = [
    ["systemd", "a"],
    ["memory", "b/c"],
    ["cpu", "."],
    ["cpuacct", "."],
    ["", "d:e"],
    ["pids", undefined],
  ];
  for (const [tree, path] of table) assert.equal(pathIn(hybrid, tree), path);
});

Deno.test("lackOf() names what is not there, for both versions", async () => {
  await inTree(UNIFIED, async (cgroups) => {
    assert.deepEqual(await cgroups.lackOf("/"), { paths: [], controllers: [] });
    assert.deepEqual(await cgroups.lackOf("/system.slice"), {
      paths: [],
      controllers: ["cpuset", "hugetlb"],
    });
    assert.deepEqual(await cgroups.lackOf("/a/b"), {
      paths: ["/sys/fs/cgroup/a/b"],
      controllers: [],
    });
  });
  const old = {
    "cpu/a/tasks": "",
    "memory/tasks": "",
    "blkio/tasks": "",
    "systemd/a/tasks": "",
  };
  await inTree(old, async (cgroups) => {
    assert.deepEqual(await cgroups.lackOf("/a"), {
      paths: ["/sys/fs/cgroup/memory/a"],
      controllers: [],
    });
    assert.deepEqual(await cgroups.lackOf("/"), { paths: [], controllers: [] });
  });
});

Deno.test("enter() writes a process where it is not yet", () =>
  inTree(UNIFIED, async (cgroups, read) => {
    assert.deepEqual(await cgroups.enter("/system.slice", [Deno.pid]), []);
    assert.equal(await read("system.slice/cgroup.procs"), String(Deno.pid));
    const faults = await cgroups.enter("/new", [Deno.pid]);
    assert.deepEqual(
      faults.map(({ kind, message }) => `${kind} ${message.split(":")[0]}`),
      ["missing cgroup.procs"],
      "a made directory of plain files has no processes",
    );
  }));

Deno.test("enter() gives a new cpuset what its parent has", () => {
  const old = {
    "cpuset/cpuset.cpus": "0-1\n",
    "cpuset/cpuset.mems": "0\n",
    "cpuset/a/cpuset.cpus": "\n",
    "cpuset/a/cpuset.mems": "\n",
    "cpuset/a/cgroup.procs": "",
    "cpuset/a/b/cpuset.cpus": "1\n",
    "cpuset/a/b/cpuset.mems": "\n",
    "cpuset/a/b/cgroup.procs": "",
  };
  return inTree(old, async (cgroups, read) => {
    assert.deepEqual(await cgroups.enter("/a/b", [Deno.pid]), []);
    assert.match(await read("cpuset/a/cpuset.cpus"), /^0-1/);
    assert.equal(await read("cpuset/a/b/cpuset.cpus"), "1\n", "kept");
    assert.match(await read("cpuset/a/b/cpuset.mems"), /^0/);
    assert.equal(await read("cpuset/a/b/cgroup.procs"), String(Deno.pid));
  });
});

Deno.test("processesIn() passes over the first process and the kernel's", async () => {
  const gone = 4_194_303;
  const tree = { ...UNIFIED, "cgroup.procs": `1\n${Deno.pid}\n${gone}\n` };
  await inTree(tree, async (cgroups) => {
    assert.deepEqual(await cgroups.processesIn("/"), [Deno.pid]);
    assert.deepEqual(await cgroups.processesIn("/none"), []);
  });
});
