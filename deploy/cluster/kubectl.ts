/** Runs kubectl in a world: nothing of the machine's own is read or written. */
import { run, type RunOptions } from "../world/command.ts";
import type { WorldFacts } from "../world/facts.ts";
import { clusterFacts } from "./facts.ts";
import { findProgram } from "./programs.ts";

export async function kubectl(
  world: WorldFacts,
  args: readonly string[],
  options: RunOptions & { readonly kubeconfig?: string } = {},
): Promise<string> {
  const cluster = clusterFacts(world);
  const { kubeconfig = cluster.adminKubeconfig, ...rest } = options;
  return await run(await findProgram("kubectl"), [
    `--kubeconfig=${kubeconfig}`,
    `--cache-dir=${cluster.root}/kubectl`,
    ...args,
  ], rest);
}
