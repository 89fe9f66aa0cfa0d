/**
 * A reboot of a world, as far as a world is a machine: nothing of it runs any
 * more, its mounts, cgroups and network are gone, what lay in /run is lost,
 * the kernel has another boot id. What lay on disk is there.
 */
import { clusterFacts } from "../../deploy/cluster/facts.ts";
import { makeBridge } from "../../deploy/cluster/network.ts";
import { stopAgent } from "../../deploy/world.ts";
import { makeCgroup } from "../../deploy/world/cgroups.ts";
import { run, until } from "../../deploy/world/command.ts";
import {
  startContainerd,
  stopContainerd,
} from "../../deploy/world/containerd.ts";
import type { WorldFacts } from "../../deploy/world/facts.ts";
import { killShims } from "../../deploy/world/processes.ts";
import {
  containerIds,
  removeCgroups,
  removeFiles,
  removeNetwork,
  removeShimSockets,
  unmountAll,
} from "../../deploy/world/teardown.ts";

/** Without a word to anybody, as a power cut is. The agent does not run. */
export async function reboot(world: WorldFacts, bootId: string): Promise<void> {
  await stopAgent(world, "kill");
  await stopContainerd(world, "kill");
  await killShims(world.socket);
  await removeShimSockets(world);
  const ids = await containerIds(world);
  await unmountAll(world.root);
  await until("the end of the cgroups", async () => {
    // The last processes may not be reaped yet.
    return await removeCgroups(world, ids).then(() => true, () => false);
  });
  await removeNetwork(world);
  // The node's own address, which a network card would have.
  await makeBridge(clusterFacts(world));
  await makeCgroup(world.cgroupRoot);
  const runDir = `${world.root}/run`;
  for (const lost of ["containerd", "runc", "denolet"]) {
    await removeFiles(`${runDir}/${lost}`);
  }
  await Deno.mkdir(`${runDir}/containerd`);
  await bindProc(world, bootId);
  await startContainerd(world);
}

/** The agent finds /proc bound already, with a boot id of this world's own. */
async function bindProc(world: WorldFacts, bootId: string): Promise<void> {
  const proc = `${world.root}/run/denolet/proc`;
  await Deno.mkdir(proc, { recursive: true });
  const file = `${world.root}/boot_id`;
  await Deno.writeTextFile(file, `${bootId}\n`);
  await run("mount", ["--bind", "/proc", proc]);
  // Else the file would be seen in the machine's own /proc, too.
  await run("mount", ["--make-private", proc]);
  await run("mount", [
    ...["--bind", file, `${proc}/sys/kernel/random/boot_id`],
  ]);
}
