/**
 * Finds and ends the processes of one world. A process is the world's own when
 * its command line names one of the world's exact paths, or when it descends
 * from such a process; nothing is ever picked by a bare program name, and a
 * pid file alone is not believed.
 */
import { until } from "./command.ts";

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly args: readonly string[];
}

export async function processes(): Promise<readonly Process[]> {
  const found: Process[] = [];
  for await (const entry of Deno.readDir("/proc")) {
    const pid = Number(entry.name);
    if (!Number.isInteger(pid)) continue;
    const process = await read(pid);
    if (process !== undefined) found.push(process);
  }
  return found;
}

async function read(pid: number): Promise<Process | undefined> {
  try {
    const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
    const commandLine = await Deno.readTextFile(`/proc/${pid}/cmdline`);
    // The program name, in brackets, may itself contain blanks and brackets.
    const rest = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (rest[0] === "Z") return undefined;
    return { pid, parent: Number(rest[1]), args: commandLine.split("\0") };
  } catch {
    // It ended between the listing and the look.
    return undefined;
  }
}

/**
 * Whether `pid` runs and has `arg` as one of its arguments. In the middle of
 * an exec a process has no arguments for a moment; that is waited for.
 */
export async function isProcessWith(
  pid: number,
  arg: string,
): Promise<boolean> {
  const deadlineMs = performance.now() + 100;
  for (;;) {
    const process = await read(pid);
    if (process === undefined) return false;
    if (process.args.includes(arg)) return true;
    // In the middle of an exec the arguments are empty or torn for a moment.
    if (performance.now() > deadlineMs) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export async function pidsWith(arg: string): Promise<readonly number[]> {
  return (await processes())
    .filter((process) => process.args.includes(arg))
    .map((process) => process.pid);
}

function descendants(
  all: readonly Process[],
  roots: readonly number[],
): number[] {
  const found: number[] = [];
  for (let wave = [...roots]; wave.length > 0;) {
    wave = all.filter((process) => wave.includes(process.parent))
      .map((process) => process.pid);
    found.push(...wave);
  }
  return found;
}

export function signal(pid: number, name: Deno.Signal): void {
  try {
    Deno.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Ends one process: politely, then by force after `graceMs`. */
export async function end(pid: number, graceMs = 10_000): Promise<void> {
  signal(pid, "SIGTERM");
  const isGone = async () => await read(pid) === undefined;
  try {
    await until(`the end of process ${pid}`, isGone, graceMs);
  } catch {
    signal(pid, "SIGKILL");
    await until(`the end of process ${pid}`, isGone);
  }
}

/**
 * Kills the shims of the containerd at `socket` with everything that runs in
 * their containers. Containers go first and their orphans are adopted by the
 * shim, so that none can slip away while the shim still lives.
 */
export async function killShims(socket: string): Promise<void> {
  await until(`the end of all containers at ${socket}`, async () => {
    const all = await processes();
    const shims = all
      .filter(({ args }) =>
        args[0]?.endsWith("containerd-shim-runc-v2") && args.includes(socket)
      )
      .map(({ pid }) => pid);
    const inside = descendants(all, shims);
    for (const pid of inside.length > 0 ? inside : shims) {
      signal(pid, "SIGKILL");
    }
    return shims.length === 0;
  });
}
