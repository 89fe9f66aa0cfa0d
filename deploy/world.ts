/**
 * A scratch world: one containerd with root, socket, bridge and subnet of its
 * own below /var/tmp/denolet/NAME, for the quickstart, tests and benchmarks.
 * Worlds of different names stand side by side; taking one down touches
 * nothing else on the machine.
 *
 *   deno run -A deploy/world.ts up|down|agent|status NAME
 *
 * `agent` starts the agent in a world that is up, unless it runs.
 */
import {
  agentPids,
  startAgent,
  stopAgent,
  writeAgentFiles,
} from "./world/agent.ts";
import { makeCgroup } from "./world/cgroups.ts";
import {
  containerdPid,
  findTools,
  importImages,
  startContainerd,
  stopContainerd,
  writeConfigs,
} from "./world/containerd.ts";
import { type WorldFacts, worldFacts, WORLDS_ROOT } from "./world/facts.ts";
import { rememberKernel, restoreKernel } from "./world/kernel_traces.ts";
import { killShims } from "./world/processes.ts";
import {
  containerIds,
  removeCgroups,
  removeFiles,
  removeNetwork,
  removeShimSockets,
  unmountAll,
} from "./world/teardown.ts";

export {
  startAgent,
  startContainerd,
  stopAgent,
  stopContainerd,
  type WorldFacts,
  worldFacts,
};

/** Brings the world up, or completes it; running containers stay. */
export async function up(name: string): Promise<WorldFacts> {
  const world = worldFacts(name);
  await claimWorldsRoot();
  await rememberKernel(WORLDS_ROOT);
  await writeConfigs(world, await findTools());
  await writeAgentFiles(world);
  await makeCgroup(world.cgroupRoot);
  await startContainerd(world);
  await importImages(world);
  return world;
}

/** /var/tmp is everybody's: a folder that somebody else made is not ours. */
async function claimWorldsRoot(): Promise<void> {
  await Deno.mkdir(WORLDS_ROOT, { recursive: true, mode: 0o711 });
  const { uid, isDirectory } = await Deno.lstat(WORLDS_ROOT);
  if (!isDirectory || uid !== Deno.uid()) {
    throw new Error(`Cannot use ${WORLDS_ROOT}: another user made it`);
  }
}

/** Ends everything of this world and removes every trace of it. */
export async function down(name: string): Promise<void> {
  const world = worldFacts(name);
  await stopAgent(world);
  await stopContainerd(world);
  await killShims(world.socket);
  const ids = await containerIds(world);
  await removeShimSockets(world);
  await unmountAll(world.root);
  await removeNetwork(world);
  await removeCgroups(world, ids);
  await removeFiles(world.root);
  await restoreKernel(WORLDS_ROOT);
}

async function status(name: string) {
  const world = worldFacts(name);
  return {
    ...world,
    containerdPid: await containerdPid(world) ?? null,
    agentPids: await agentPids(world),
    containers: (await containerIds(world)).length,
  };
}

async function agent(name: string): Promise<string> {
  const world = worldFacts(name);
  const [running] = await agentPids(world);
  const pid = running ?? await startAgent(world);
  return `the agent of world ${name} runs as process ${pid}`;
}

const VERBS: Record<string, (name: string) => Promise<string>> = {
  up: async (name) => `world ${name} is up: ${(await up(name)).socket}`,
  down: async (name) => {
    await down(name);
    return `world ${name} is gone`;
  },
  agent,
  status: async (name) => JSON.stringify(await status(name), null, 2),
};

if (import.meta.main) {
  const [verb, name] = Deno.args;
  const command = VERBS[verb ?? ""];
  if (command === undefined || name === undefined || Deno.args.length > 2) {
    console.error(
      `usage: deno run -A deploy/world.ts ${Object.keys(VERBS).join("|")} NAME`,
    );
    Deno.exit(2);
  }
  try {
    console.log(await command(name));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(1);
  }
}
