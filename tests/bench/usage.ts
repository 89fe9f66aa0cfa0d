/** What a process has used, and what the machine is, from /proc. */
import { setTimeout } from "node:timers/promises";

/** Linux counts CPU time in these for every user, on all architectures. */
const TICKS_PER_SECOND = 100;

/** CPU time of a process so far, user and system, all threads. */
export async function cpuMs(pid: number): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  return ticks * 1_000 / TICKS_PER_SECOND;
}

export interface Memory {
  readonly rssMib: number;
  /** Shared pages by share; what the process really costs. */
  readonly pssMib: number;
}

export async function memory(pid: number): Promise<Memory> {
  const text = await Deno.readTextFile(`/proc/${pid}/smaps_rollup`);
  const mib = (name: string) =>
    Number(text.match(new RegExp(`^${name}:\\s+(\\d+) kB`, "m"))?.[1]) / 1_024;
  return { rssMib: mib("Rss"), pssMib: mib("Pss") };
}

/** CPU use over a time of rest, and memory at its end. */
export async function idle(
  pid: number,
  seconds: number,
  signal?: AbortSignal,
): Promise<Memory & { readonly millicores: number }> {
  const beforeMs = await cpuMs(pid);
  const startMs = performance.now();
  await setTimeout(
    seconds * 1_000,
    undefined,
    signal === undefined ? {} : { signal },
  );
  const usedMs = await cpuMs(pid) - beforeMs;
  const millicores = usedMs / (performance.now() - startMs) * 1_000;
  return { ...await memory(pid), millicores };
}

export function conditions(runtime: string): string[] {
  const cores = navigator.hardwareConcurrency;
  const load = Deno.loadavg().map((value) => value.toFixed(2)).join(" ");
  return [
    `${cores} cores, kernel ${Deno.osRelease()}, load ${load}`,
    `${runtime}, Deno ${Deno.version.deno}, ${new Date().toISOString()}`,
  ];
}
