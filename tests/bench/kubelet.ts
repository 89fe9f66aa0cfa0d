/**
 * The real kubelet, standalone, in a world of its own: the peer. Its settings
 * are those of the agent plus what it takes to run without an API server.
 */
import { isHealthy } from "../../deploy/world/agent.ts";
import { end, pidsWith } from "../../deploy/world/processes.ts";
import type { WorldFacts } from "../../deploy/world.ts";
import type { AgentProcess } from "./subject.ts";

const EXTRA = `
authentication:
  anonymous: { enabled: true }
  webhook: { enabled: false }
authorization: { mode: AlwaysAllow }
# The machine's tables and settings are not the benchmark's to change.
makeIPTablesUtilChains: false
evictionHard: { memory.available: 1Mi }
`;

export class KubeletProcess implements AgentProcess {
  readonly #world: WorldFacts;
  readonly #binary: string;

  constructor(world: WorldFacts, binary: string) {
    this.#world = world;
    this.#binary = binary;
  }

  async spawn(): Promise<number> {
    const { root, agentConfig } = this.#world;
    const shared = await Deno.readTextFile(agentConfig);
    await Deno.writeTextFile(configOf(this.#world), shared + EXTRA);
    const child = new Deno.Command("/bin/sh", {
      args: [
        "-c",
        'log=$1; shift; exec "$0" "$@" >>"$log" 2>&1',
        this.#binary,
        `${root}/kubelet.log`,
        `--config=${configOf(this.#world)}`,
        `--root-dir=${root}/var/lib/kubelet`,
        `--cert-dir=${root}/var/lib/kubelet/pki`,
        `--hostname-override=${this.#world.name}`,
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
      detached: true,
    }).spawn();
    child.unref();
    return child.pid;
  }

  stop(): Promise<void> {
    return stopKubelet(this.#world);
  }

  isHealthy(): Promise<boolean> {
    return isHealthy(this.#world);
  }
}

function configOf(world: WorldFacts): string {
  return `${world.root}/etc/kubelet.yaml`;
}

/** Ends the kubelet of a world, whoever started it. */
export async function stopKubelet(world: WorldFacts): Promise<void> {
  for (const pid of await pidsWith(`--config=${configOf(world)}`)) {
    await end(pid);
  }
  // The kubelet's folder of log links cannot be moved, so ours are removed.
  const folder = "/var/log/containers";
  for await (const entry of entries(folder)) {
    if (!entry.isSymlink) continue;
    const path = `${folder}/${entry.name}`;
    const target = await Deno.readLink(path);
    if (target.startsWith(`${world.root}/`)) await Deno.remove(path);
  }
}

async function* entries(folder: string): AsyncGenerator<Deno.DirEntry> {
  try {
    yield* Deno.readDir(folder);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
