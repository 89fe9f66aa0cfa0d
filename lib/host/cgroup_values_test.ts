/**
 * The files of version 2 on a machine that may not have it: plain files stand
 * for those of the kernel. Version 1 is tried for real in tests/contract.
 */
import assert from "node:assert/strict";
import { AgentError } from "../base/errors.ts";
import type { CgroupFault, CgroupValues } from "../port/cgroups.ts";
import { HostCgroups } from "./cgroups.ts";
import { openLibc } from "./libc.ts";

const ALL = "cpuset cpu io memory hugetlb pids rdma";
const POD = {
  "cgroup.controllers": "cpuset cpu memory hugetlb pids",
  "cpu.weight": "100",
  "cpu.max": "max 100000",
  "memory.max": "max",
  "memory.current": "0",
  "pids.max": "max",
};

type Tree = Readonly<Record<string, Readonly<Record<string, string>>>>;

async function inTree(
  tree: Tree,
  fn: (
    apply: (
      path: string,
      values: CgroupValues,
      ifMissing?: "make" | "leave",
    ) => Promise<readonly CgroupFault[]>,
    read: (path: string) => Promise<string>,
    top: string,
  ) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const libc = openLibc();
  const top = `${folder}/cgroup`;
  try {
    for (const [path, files] of Object.entries(tree)) {
      await Deno.mkdir(top + path, { recursive: true });
      for (const [name, text] of Object.entries(files)) {
        await Deno.writeTextFile(`${top}${path}/${name}`, text);
      }
    }
    const cgroups = new HostCgroups(libc, { runDir: folder });
    await fn(
      (path, values, ifMissing = "make") =>
        cgroups.apply(path, values, ifMissing),
      (path) => Deno.readTextFile(top + path),
      top,
    );
  } finally {
    libc.close();
    await Deno.remove(folder, { recursive: true });
  }
}

function unified(pod: Readonly<Record<string, string>> = POD): Tree {
  const above = {
    "cgroup.controllers": ALL,
    "cgroup.subtree_control": "cpuset cpu memory hugetlb pids",
  };
  return { "": above, "/kubepods": above, "/kubepods/pod1": pod };
}

const VALUES: CgroupValues = {
  cpuShares: 1024n,
  cpuQuotaUs: 50_000n,
  cpuPeriodUs: 100_000n,
  memoryLimitBytes: 1_048_576n,
  pidsLimit: 1024n,
  hugePageLimits: new Map([[2_097_152n, 0n]]),
};

Deno.test("applyValues() writes the files of version 2", () =>
  inTree(unified(), async (apply, read) => {
    // This kernel cannot limit huge pages, which nobody misses.
    assert.deepEqual(await apply("/kubepods/pod1", VALUES), []);
    assert.equal(await read("/kubepods/pod1/cpu.max"), "50000 100000");
    assert.match(await read("/kubepods/pod1/cpu.weight"), /^39/);
    assert.equal(await read("/kubepods/pod1/memory.max"), "1048576");
    assert.equal(await read("/kubepods/pod1/pids.max"), "1024");
  }));

Deno.test("applyValues() hands on controllers that a parent keeps back", async () => {
  const tree = unified({ ...POD, "cgroup.controllers": "cpu memory" });
  const files = {
    "cgroup.controllers": ALL,
    "cgroup.subtree_control": "cpuset cpu memory hugetlb",
  };
  await inTree({ ...tree, "/kubepods": files }, async (apply, read) => {
    await apply("/kubepods/pod1", VALUES);
    assert.match(await read("/kubepods/cgroup.subtree_control"), /^\+pids/);
    assert.doesNotMatch(await read("/cgroup.subtree_control"), /\+/);
    assert.equal(await read("/kubepods/pod1/pids.max"), "1024");
  });
});

Deno.test("applyValues() sets no memory limit below what is used", async () => {
  const pod = { ...POD, "memory.current": "1048577\n" };
  await inTree(unified(pod), async (apply, read) => {
    const faults = await apply("/kubepods/pod1", VALUES);
    assert.deepEqual(faults.map(({ kind }) => kind), ["in-use"]);
    assert.match(faults[0]?.message ?? "", /^memory\.max: /);
    assert.equal(await read("/kubepods/pod1/memory.max"), "max");
    assert.equal(await read("/kubepods/pod1/pids.max"), "1024", "the rest is");
  });
});

Deno.test("applyValues() limits to what is used where it may", async () => {
  const pod = { ...POD, "memory.current": "1048577\n" };
  await inTree(unified(pod), async (apply, read) => {
    const values = { ...VALUES, mayLimitToUse: true } as const;
    assert.deepEqual(await apply("/kubepods/pod1", values), []);
    assert.equal(await read("/kubepods/pod1/memory.max"), "1048577");
  });
});

Deno.test("applyValues() keeps memory and takes that back", async () => {
  const pod = { ...POD, "memory.min": "0", "memory.low": "4096" };
  await inTree(unified(pod), async (apply, read) => {
    const path = "/kubepods/pod1";
    await apply(path, { memoryMinBytes: 8192n, memoryLowBytes: 0n });
    assert.equal(await read(`${path}/memory.min`), "8192");
    assert.match(await read(`${path}/memory.low`), /^0/);
  });
  // A kernel without such files keeps nothing, which is as good as 0.
  await inTree(unified(), async (apply) => {
    const path = "/kubepods/pod1";
    assert.deepEqual(await apply(path, { memoryMinBytes: 0n }), []);
    const faults = await apply(path, { memoryMinBytes: 1n });
    assert.deepEqual(faults.map(({ kind }) => kind), ["missing"]);
  });
});

Deno.test("applyValues() tells of a controller that is not there", async () => {
  const { "pids.max": _, ...pod } = POD;
  await inTree(unified(pod), async (apply) => {
    const faults = await apply("/kubepods/pod1", VALUES);
    assert.deepEqual(
      faults.map(({ kind, message }) => `${kind} ${message.split(":")[0]}`),
      ["missing pids.max"],
    );
    assert.deepEqual(await apply("/kubepods/pod1", VALUES, "leave"), []);
  });
});

Deno.test("applyValues() makes no hierarchy of version 1 that is not mounted", async () => {
  const tree = {
    "/cpu/kubepods": { "cpu.shares": "1024" },
    "/memory/kubepods": { "memory.limit_in_bytes": "9223372036854771712" },
  };
  await inTree(tree, async (apply, read, top) => {
    const values = { ...VALUES, cpuQuotaUs: undefined };
    const { cpuQuotaUs: _1, cpuPeriodUs: _2, ...rest } = values;
    const faults = await apply("/kubepods", rest);
    assert.deepEqual(
      faults.map(({ kind, message }) => `${kind} ${message.split(":")[0]}`),
      ["missing pids"],
    );
    assert.match(
      await read("/memory/kubepods/memory.limit_in_bytes"),
      /^1048576/,
    );
    const names = await Array.fromAsync(Deno.readDir(top), ({ name }) => name);
    assert.deepEqual(names.sort(), ["cpu", "memory"]);
  });
});

Deno.test("applyValues() follows no link out of the tree", () =>
  inTree(unified(), async (apply, _read, top) => {
    await Deno.mkdir(`${top}/outside`);
    await Deno.symlink("../outside", `${top}/kubepods/pod2`);
    await assert.rejects(
      apply("/kubepods/pod2", VALUES),
      (error: unknown) => error instanceof AgentError,
    );
    const inside = await Array.fromAsync(Deno.readDir(`${top}/outside`));
    assert.deepEqual(inside, []);
  }));
