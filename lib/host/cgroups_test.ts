/** What systemd is told of slices, and when; plain files are the kernel's. */
import assert from "node:assert/strict";
import { AgentError } from "../base/errors.ts";
import type { CgroupValues } from "../port/cgroups.ts";
import { HostCgroups } from "./cgroups.ts";
import { openLibc } from "./libc.ts";

const SLICE = "/kubepods.slice/kubepods-podx.slice";
const PLAIN = "/kubepods.slice/podx";
const VALUES: CgroupValues = {
  cpuShares: 2n,
  memoryLimitBytes: 4096n,
  pidsLimit: 9n,
};
const FILES = {
  "cgroup.controllers": "cpu memory pids",
  "cgroup.subtree_control": "cpu memory pids",
  "cpu.weight": "100",
  "memory.max": "max",
  "memory.current": "0",
  "pids.max": "max",
};

async function withSystemd(
  fn: (world: {
    readonly cgroups: HostCgroups;
    readonly said: string[];
    /** What it answers from now on. */
    readonly refuse: (error: AgentError | undefined) => void;
    readonly write: (file: string, text: string) => Promise<void>;
  }) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const libc = openLibc();
  const said: string[] = [];
  let refusal: AgentError | undefined;
  const answer = (words: string) => {
    said.push(words);
    return refusal === undefined ? Promise.resolve() : Promise.reject(refusal);
  };
  const slices = {
    set: (path: string, values: readonly { name: string }[]) =>
      answer(`${path}: ${values.map(({ name }) => name).join(" ")}`),
    stop: (path: string) => answer(`stop ${path}`),
  };
  const write = (file: string, text: string) =>
    Deno.writeTextFile(`${folder}/cgroup${file}`, text);
  try {
    for (const path of ["", SLICE, PLAIN]) {
      await Deno.mkdir(`${folder}/cgroup${path}`, { recursive: true });
      for (const [name, text] of Object.entries(FILES)) {
        await write(`${path}/${name}`, text);
      }
    }
    await fn({
      cgroups: new HostCgroups(libc, { runDir: folder, slices }),
      said,
      refuse: (error) => {
        refusal = error;
      },
      write,
    });
  } finally {
    libc.close();
    await Deno.remove(folder, { recursive: true });
  }
}

const TOLD = `${SLICE.slice(1)}: CPUWeight MemoryMax TasksMax`;

Deno.test("HostCgroups tells systemd of a slice once", () =>
  withSystemd(async ({ cgroups, said, write }) => {
    assert.deepEqual(await cgroups.apply(SLICE, VALUES, "make"), []);
    assert.deepEqual(said, [TOLD]);
    // Plain files keep what was in them behind a shorter text.
    await write(`${SLICE}/cpu.weight`, "1");
    await write(`${SLICE}/pids.max`, "9");
    await cgroups.apply(SLICE, VALUES, "make");
    await cgroups.apply(SLICE, VALUES, "leave");
    assert.equal(said.length, 1, "nothing is new");
    await write(`${SLICE}/memory.max`, "max");
    await cgroups.apply(SLICE, VALUES, "leave");
    assert.deepEqual(said, [TOLD, TOLD], "it had been set back");
    await cgroups.apply(SLICE, { ...VALUES, cpuShares: 102n }, "leave");
    assert.equal(said.length, 3, "another value");
  }));

Deno.test("HostCgroups tells again what systemd has refused", () =>
  withSystemd(async ({ cgroups, said, refuse }) => {
    refuse(new AgentError("It is busy", { next: "retry" }));
    const faults = await cgroups.apply(SLICE, VALUES, "make");
    assert.deepEqual(faults, [
      { kind: "missing", message: "systemd is not told: It is busy" },
    ]);
    refuse(undefined);
    assert.deepEqual(await cgroups.apply(SLICE, VALUES, "make"), []);
    assert.equal(said.length, 2);
  }));

Deno.test("HostCgroups tells of no memory limit below what is used", () =>
  withSystemd(async ({ cgroups, said, write }) => {
    await write(`${SLICE}/memory.current`, "4097");
    await cgroups.apply(SLICE, VALUES, "make");
    await cgroups.apply(SLICE, { ...VALUES, mayLimitToUse: true }, "make");
    const told = `${SLICE.slice(1)}: CPUWeight TasksMax`;
    assert.deepEqual(said, [told, told]);
  }));

Deno.test("HostCgroups tells systemd of nothing else than slices", () =>
  withSystemd(async ({ cgroups, said }) => {
    await cgroups.apply(PLAIN, VALUES, "make");
    await cgroups.apply("/kubepods.slice/none.slice", VALUES, "leave");
    await assert.rejects(cgroups.removePod(PLAIN));
    await cgroups.removePod("/kubepods.slice/none.slice");
    assert.deepEqual(said, []);
  }));

Deno.test("HostCgroups.removePod() has systemd end the slice", () =>
  withSystemd(async ({ cgroups, said }) => {
    // Files of a real cgroup would go with it.
    await assert.rejects(cgroups.removePod(SLICE));
    assert.deepEqual(said, [`stop ${SLICE.slice(1)}`]);
  }));
