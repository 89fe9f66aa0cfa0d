/** The contract of `Cgroups`: on the fake, and on the machine of a world. */
import { worldFacts } from "../../deploy/world/facts.ts";
import type { CgroupValues } from "../../lib/port/cgroups.ts";
import { cgroupWrites, isSet } from "../../lib/host/cgroup_text.ts";
import { HostCgroups } from "../../lib/host/cgroups.ts";
import { openLibc } from "../../lib/host/libc.ts";
import { FakeCgroups } from "../fakes/fake_cgroups.ts";
import { cgroupsContract, type CgroupsWorld } from "./cgroups_contract.ts";

const MOUNT = "/sys/fs/cgroup";
const PID = 4242;
const worldName = Deno.env.get("DENOLET_TEST_WORLD");

cgroupsContract("the fake", () => {
  const cgroups = new FakeCgroups();
  return Promise.resolve({
    cgroups,
    root: "/denolet/kubepods",
    isPresent: (path) => Promise.resolve(cgroups.present.has(path)),
    has: (path, values) => {
      const found = new Map(Object.entries(cgroups.values.get(path) ?? {}));
      const isSame = Object.entries(values)
        .every(([name, value]) => found.get(name) === value);
      return Promise.resolve(isSame);
    },
    startProcess: () => {
      const end = () => Promise.resolve(void cgroups.places.delete(PID));
      return Promise.resolve({ pid: PID, end });
    },
    close: () => Promise.resolve(),
  });
});

cgroupsContract("this machine", openReal, { ignore: !mayTry() });

function mayTry(): boolean {
  if (worldName !== undefined && Deno.uid() === 0) return true;
  console.warn("SKIP: no cgroup of this machine, as no world is named");
  return false;
}

async function openReal(): Promise<CgroupsWorld> {
  const folder = await Deno.makeTempDir();
  // As the agent's bind, but without mounting.
  await Deno.symlink(MOUNT, `${folder}/cgroup`);
  const libc = openLibc();
  const isUnified = await isThere(`${MOUNT}/cgroup.controllers`);
  const at = (controller: string, path: string) =>
    `${MOUNT}${isUnified ? "" : `/${controller}`}${path}`;
  const { cgroupRoot } = worldFacts(worldName ?? "none");
  return {
    cgroups: new HostCgroups(libc, { runDir: folder }),
    root: `${cgroupRoot}/contract-${crypto.randomUUID()}`,
    isPresent: (path) => isThere(at("pids", path)),
    has: async (path: string, values: CgroupValues) => {
      for (const write of cgroupWrites(isUnified ? 2 : 1, values)) {
        const file = `${at(write.controller, path)}/${write.file}`;
        if (!isSet(await Deno.readTextFile(file), write)) return false;
      }
      return true;
    },
    startProcess: () => {
      const child = new Deno.Command("sleep", { args: ["60"] }).spawn();
      return Promise.resolve({
        pid: child.pid,
        end: async () => {
          child.kill("SIGKILL");
          await child.status;
        },
      });
    },
    close: async () => {
      libc.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
