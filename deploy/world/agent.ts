/**
 * Starts and stops the agent in a world, as it is shipped: the same program
 * under the permission set `scratch` of deno.json, never with all permissions.
 */
import { readIfThere, run, until } from "./command.ts";
import type { WorldFacts } from "./facts.ts";
import { end, isProcessWith, pidsWith, signal } from "./processes.ts";

const SAMPLE = new URL("../samples/config.yaml", import.meta.url);
const CHECKOUT = new URL("../../", import.meta.url).pathname;

/** What the agent reads of the machine, besides its own. */
const FILES_OF_HOST = [
  "/etc/resolv.conf",
  "/etc/hosts",
  "/etc/machine-id",
  "/etc/os-release",
];

/** The sample configuration, with this world's paths and port. */
export function agentConfig(sample: string, world: WorldFacts): string {
  return sample
    .replaceAll("/var/tmp/denolet/quickstart", world.root)
    .replaceAll("/denolet-quickstart", world.cgroupRoot)
    .replace(/healthzPort: \d+/, `healthzPort: ${world.healthzPort}`);
}

/** Writes what the agent reads below its host root. */
export async function writeAgentFiles(world: WorldFacts): Promise<void> {
  await Deno.mkdir(`${world.root}/etc/denolet`, { recursive: true });
  await Deno.mkdir(`${world.root}/run/denolet`, { recursive: true });
  await Deno.mkdir(world.manifests, { recursive: true });
  for (const file of FILES_OF_HOST) {
    const text = await readIfThere(file);
    if (text !== undefined) {
      await Deno.writeTextFile(world.root + file, text);
    }
  }
  const sample = await Deno.readTextFile(SAMPLE);
  const text = agentConfig(sample, world);
  await Deno.writeTextFile(world.agentConfig, text, { mode: 0o600 });
}

/** What agents of worlds are granted, unless a test says otherwise. */
const GRANTS: readonly string[] = ["-P=scratch"];

/**
 * Arguments of `deno` that run the agent's program in this world; it may start
 * `programs`, each a path.
 */
export function agentArgs(
  world: WorldFacts,
  args: readonly string[],
  programs: readonly string[] = [],
  grants: readonly string[] = GRANTS,
): string[] {
  return [
    "run",
    "--quiet",
    "--no-prompt",
    ...grants,
    ...programs.map((path) => `--allow-run=${path}`),
    "--v8-flags=--max-semi-space-size=2,--expose-gc",
    `${CHECKOUT}main.ts`,
    ...args,
    `--host-root=${world.hostRoot}`,
  ];
}

/** Asks the world's agent, for instance `askAgent(world, "pods")`. */
export function askAgent(
  world: WorldFacts,
  ...args: string[]
): Promise<string> {
  return run(Deno.execPath(), agentArgs(world, args), { cwd: CHECKOUT });
}

/** Only the agent itself: it is the one with a configuration. */
export function agentPids(world: WorldFacts): Promise<readonly number[]> {
  return pidsWith(`--config=${world.agentConfig}`);
}

/** Starts the agent and waits until it says that it is healthy. */
export async function startAgent(
  world: WorldFacts,
  flags: readonly string[] = [],
  programs: readonly string[] = [],
): Promise<number> {
  const pid = await spawnAgent(world, flags, programs);
  try {
    await until("a healthy agent", async () => {
      if (!await isProcessWith(pid, `--config=${world.agentConfig}`)) {
        throw new Error("the agent ended");
      }
      return await isHealthy(world);
    });
  } catch (cause) {
    const log = await readIfThere(world.agentLog) ?? "";
    const tail = log.trimEnd().split("\n").slice(-10).join("\n");
    throw new Error(
      `Cannot start the agent; the end of ${world.agentLog}:\n${tail}`,
      { cause },
    );
  }
  return pid;
}

/**
 * Takes a log and a folder, which may be empty, then arguments. As for
 * containerd the shell redirects, and exec keeps the pid. In the folder each
 * agent leaves what it used of its grants, for tests/audit.
 */
export const AGENT_SHELL = `log=$1; audit=$2; shift 2
if [ -n "$audit" ] && [ -z "\${DENO_AUDIT_PERMISSIONS:-}" ]; then
  export DENO_AUDIT_PERMISSIONS="$audit/$$-$(date +%s).jsonl"
fi
exec "$0" "$@" >>"$log" 2>&1`;

/** Starts the agent without waiting for anything. */
export async function spawnAgent(
  world: WorldFacts,
  flags: readonly string[] = [],
  programs: readonly string[] = [],
  grants: readonly string[] = GRANTS,
): Promise<number> {
  const args = agentArgs(
    world,
    [...ownFlags(world), ...flags],
    programs,
    grants,
  );
  return await spawnProgram(world, Deno.execPath(), args);
}

/** The same of a package, which brings its runtime and its grants. */
export async function spawnPackage(
  world: WorldFacts,
  file: string,
  flags: readonly string[] = [],
): Promise<number> {
  const place = `--host-root=${world.hostRoot}`;
  const args = [...ownFlags(world), ...flags, place];
  const home = `${world.root}/var/lib/denolet`;
  return await spawnProgram(world, file, args, { DENOLET_HOME: home });
}

function ownFlags(world: WorldFacts): string[] {
  return [
    `--config=${world.agentConfig}`,
    `--hostname-override=${world.name}`,
  ];
}

async function spawnProgram(
  world: WorldFacts,
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<number> {
  const audit = Deno.env.get("DENOLET_TEST_AUDIT") ?? "";
  const child = new Deno.Command("/bin/sh", {
    args: ["-c", AGENT_SHELL, file, world.agentLog, audit, ...args],
    cwd: CHECKOUT,
    env,
    stdin: "null",
    stdout: "null",
    stderr: "null",
    detached: true,
  }).spawn();
  child.unref();
  await Deno.writeTextFile(world.agentPidFile, `${child.pid}\n`);
  return child.pid;
}

export async function isHealthy(world: WorldFacts): Promise<boolean> {
  try {
    const url = `http://127.0.0.1:${world.healthzPort}/healthz`;
    const response = await fetch(url);
    await response.body?.cancel();
    return response.ok;
  } catch {
    // Nobody listens there yet.
    return false;
  }
}

export async function stopAgent(
  world: WorldFacts,
  how: "terminate" | "kill" = "terminate",
): Promise<void> {
  for (const pid of await agentPids(world)) {
    if (how === "terminate") {
      await end(pid);
    } else {
      signal(pid, "SIGKILL");
    }
  }
  await until(
    "the end of the agent",
    async () => (await agentPids(world)).length === 0,
  );
}
