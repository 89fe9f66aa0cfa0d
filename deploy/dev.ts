/**
 * The world `dev` and the agent in it, started anew on every save. Put
 * manifests into its folder and watch. Ctrl-C ends the agent; the world and its
 * pods stay until `deno run -A deploy/world.ts down dev`.
 */
import { up, worldFacts } from "./world.ts";
import { agentArgs } from "./world/agent.ts";

const NAME = "dev";

await up(NAME);
const world = worldFacts(NAME);
console.log(`Manifests: ${world.manifests}`);
console.log(
  `Ask:       deno task agent pods --host-root=${world.hostRoot} ` +
    "(with -P=scratch)",
);
const [run = "run", ...rest] = agentArgs(world, [
  `--config=${world.agentConfig}`,
  `--hostname-override=${NAME}`,
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
