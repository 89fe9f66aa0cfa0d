/**
 * How punctual many probes are: the real runner and real sockets on loopback,
 * against a server in a process of its own. Prints one table.
 */
import { systemClock } from "../../lib/base/clock.ts";
import { createMetrics } from "../../lib/base/metrics.ts";
import { systemRandom } from "../../lib/base/random.ts";
import { containerId, podUid } from "../../lib/api/id.ts";
import { openHealth } from "../../lib/cri/health.ts";
import { hostPodNet } from "../../lib/host/pod_net.ts";
import { ProbeRunner } from "../../lib/probe/run.ts";
import { Teller } from "../../lib/probe/tell.ts";
import type { ProbedPod } from "../../lib/probe/watched.ts";
import { aContainer, aPod } from "../build.ts";
import { cpuMs, memory } from "./usage.ts";

const HOST = "127.0.0.1";
const SERVER = `Deno.serve({ hostname: "${HOST}", port: 0, onListen: (at) =>
  console.log(at.port) }, () => new Response("ok"));`;

export async function benchProbes(args: readonly string[]): Promise<void> {
  const pods = numberOf(args, "--pods", 100);
  const seconds = numberOf(args, "--seconds", 30);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", SERVER],
    stdout: "piped",
  }).spawn();
  try {
    const port = await firstNumber(child.stdout);
    for (const line of await measure(port, { pods, seconds })) {
      console.log(line);
    }
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
}

async function measure(
  port: number,
  { pods, seconds }: { readonly pods: number; readonly seconds: number },
): Promise<string[]> {
  const late: number[] = [];
  const teller = new Teller({ record: () => {} }, {
    lateness: { observe: () => {}, remove: () => {} },
    probes: createMetrics(),
  });
  const runner = new ProbeRunner({
    clock: systemClock,
    random: systemRandom,
    podNet: { ...hostPodNet, ...openHealth() },
    runtime: { execSync: () => Promise.reject(new Error("none")) },
    expand: (words) => words,
    teller: Object.assign(teller, { asked: (ms: number) => late.push(ms) }),
    hint: () => {},
  });
  const stop = new AbortController();
  const running = runner.run(stop.signal);
  for (let at = 0; at < pods; at++) runner.watch(probed(at, port));
  const lag = lags(stop.signal);
  const beforeMs = await cpuMs(Deno.pid);
  await systemClock.sleep(seconds * 1_000, new AbortController().signal);
  const usedMs = await cpuMs(Deno.pid) - beforeMs;
  const { rssMib } = await memory(Deno.pid);
  stop.abort(new DOMException("Measured", "AbortError"));
  await running;
  const blocked = Math.max(...await lag);
  const at = (share: number) =>
    late.toSorted((a, b) => a - b)[Math.floor((late.length - 1) * share)] ?? 0;
  return [
    `${pods} pods, an HTTP probe each second, ${seconds} s`,
    `asked        ${late.length} (of ${pods * seconds} at least)`,
    `late p50     ${at(0.5).toFixed(1)} ms`,
    `late p99     ${at(0.99).toFixed(1)} ms (goal 50)`,
    `late max     ${at(1).toFixed(1)} ms`,
    `blocked max  ${blocked.toFixed(1)} ms (goal 20)`,
    `CPU          ${(usedMs / seconds).toFixed(0)} millicores`,
    `RSS          ${rssMib.toFixed(0)} MiB`,
  ];
}

/** A pod that runs since before the agent, so its probe is spread. */
function probed(at: number, port: number): ProbedPod {
  const container = aContainer({
    readinessProbe: { httpGet: { port }, periodSeconds: 1 },
  });
  return {
    uid: podUid(`u${at}`),
    pod: aPod({ uid: `u${at}`, containers: [container] }),
    podIp: HOST,
    isStopping: false,
    instances: new Map([[container.name, {
      id: containerId(`c${at}`),
      isRunning: true,
      startedAtMs: 0,
      told: undefined,
    }]]),
  };
}

/** How much later than wanted a timer of 5 ms comes, again and again. */
async function lags(signal: AbortSignal): Promise<number[]> {
  const found: number[] = [0];
  while (!signal.aborted) {
    const startMs = performance.now();
    await systemClock.sleep(5, new AbortController().signal);
    found.push(performance.now() - startMs - 5);
  }
  return found;
}

async function firstNumber(
  stream: ReadableStream<Uint8Array>,
): Promise<number> {
  const reader = stream.getReader();
  const { value } = await reader.read();
  return Number(new TextDecoder().decode(value));
}

function numberOf(
  args: readonly string[],
  name: string,
  otherwise: number,
): number {
  const at = args.indexOf(name);
  return at < 0 ? otherwise : Number(args[at + 1]);
}
