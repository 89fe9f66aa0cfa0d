/**
 * The world `dev`, its cluster, and the agent as its node, started anew on
 * every save. Apply something or put manifests into its folder, and watch.
 * Ctrl-C ends the agent; the rest stays until
 * `deno task cluster down dev && deno run -A deploy/world.ts down dev`.
 */
import { clusterUp } from "./cluster.ts";
import { memberFlags } from "./cluster/agent.ts";
import { up, worldFacts } from "./world.ts";
import { agentArgs } from "./world/agent.ts";

const NAME = "dev";

await up(NAME);
const world = worldFacts(NAME);
const cluster = await clusterUp(world);
console.log(`Cluster:   export KUBECONFIG=${cluster.adminKubeconfig}`);
console.log(`Manifests: ${world.manifests}`);
console.log(
  `Ask:       deno task agent pods --host-root=${world.hostRoot} ` +
    "(with -P=scratch)",
);
const [run = "run", ...rest] = agentArgs(world, [
  `--config=${world.agentConfig}`,
  `--hostname-override=${NAME}`,
  ...memberFlags(cluster),
]);
const child = new Deno.Command(Deno.execPath(), {
  args: [run, "--watch", ...rest],
  cwd: new URL("..", import.meta.url).pathname,
  stdin: "null",
  stdout: "inherit",
  stderr: "inherit",
}).spawn();
Deno.addSignalListener("SIGINT", () => child.kill("SIGTERM"));
Deno.exit((await child.status).code);
