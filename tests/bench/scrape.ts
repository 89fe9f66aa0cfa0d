/**
 * What it costs to look at a node with many pods: each endpoint of figures and
 * metrics is asked again and again, alone and while somebody else asks for
 * health all the time and so notices when nothing else is done; this agent,
 * then the real kubelet. Wants a world with a cluster (DENOLET_TEST_WORLD).
 */
import type { V1Pod } from "../../lib/api/types.ts";
import { BUSYBOX, OBEDIENT } from "../node/agent_world.ts";
import { countsOf } from "./counts.ts";
import { align, middle } from "./report.ts";
import { cluster, type Side, sides, withPods } from "./sides.ts";
import { pause } from "./subject.ts";
import { conditions, cpuMs } from "./usage.ts";

const PATHS = [
  "/metrics",
  "/metrics/resource",
  "/metrics/cadvisor",
  "/metrics/probes",
  "/metrics/slis",
  "/stats/summary",
  "/stats/summary?only_cpu_and_memory=true",
  "/pods",
];
/** So many pods that have just begun keep the machine busy for a while. */
const SETTLE_MS = 30_000;
/** Longer than figures are shared, so that each scrape is a whole one. */
const PAUSE_MS = 1_100;
const LABEL = "app=scrape";

type Ask = (path: string) => Promise<number>;

export async function benchScrape(args: readonly string[]): Promise<void> {
  const { pods, times } = countsOf(args, { pods: 100, times: 10 });
  for (const side of await sides()) {
    const rows = await scraped(side, { pods, times });
    const head = [
      ...["", "ms p50 / max", "beside pings", "KiB", "CPU ms"],
      "longest ping ms",
    ];
    console.log([
      "",
      ...conditions(`${side.name}, ${pods} pods`),
      "",
      align([head, ...rows]),
    ].join("\n"));
  }
}

async function scraped(
  side: Side,
  { pods, times }: { readonly pods: number; readonly times: number },
): Promise<string[][]> {
  const pid = await side.start();
  const client = await apiServersClient();
  try {
    return await withPods(LABEL, manyPods(side.nodeName, pods), async () => {
      await pause(SETTLE_MS);
      const rows: string[][] = [];
      const ask = asking(client);
      for (const path of PATHS) rows.push(await row({ path, times, pid, ask }));
      return rows;
    });
  } finally {
    client.close();
    await side.stop();
  }
}

async function apiServersClient(): Promise<Deno.HttpClient> {
  const pair = `${cluster.pki}/kube-apiserver-kubelet-client`;
  return Deno.createHttpClient({
    caCerts: [await Deno.readTextFile(cluster.ca.certificate)],
    cert: await Deno.readTextFile(`${pair}.crt`),
    key: await Deno.readTextFile(`${pair}.key`),
  });
}

/** Resolves with the length of the answer. */
function asking(client: Deno.HttpClient): Ask {
  const { nodeIp, ports } = cluster;
  return async (path) => {
    const url = `https://${nodeIp}:${ports.kubelet}${path}`;
    const answer = await fetch(url, { client });
    const { byteLength } = await answer.arrayBuffer();
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status}`);
    return byteLength;
  };
}

interface Scrape {
  readonly path: string;
  readonly times: number;
  readonly pid: number;
  readonly ask: Ask;
}

async function row({ path, times, pid, ask }: Scrape): Promise<string[]> {
  let bytes = await ask(path);
  const alone: number[] = [];
  const beside: number[] = [];
  let stallMs = 0;
  let usedMs = 0;
  for (let each = 0; each < times; each++) {
    await pause(PAUSE_MS);
    const beforeMs = await cpuMs(pid);
    alone.push(await timed(async () => bytes = await ask(path)));
    usedMs += await cpuMs(pid) - beforeMs;
    await pause(PAUSE_MS);
    const stop = new AbortController();
    const pings = longestPing(ask, stop.signal);
    await pause(50);
    beside.push(await timed(() => ask(path)));
    stop.abort();
    stallMs = Math.max(stallMs, await pings);
  }
  const told = (took: readonly number[]) =>
    `${middle(took).toFixed(0)} / ${Math.max(...took).toFixed(0)}`;
  return [
    path,
    told(alone),
    told(beside),
    (bytes / 1024).toFixed(0),
    (usedMs / times).toFixed(0),
    stallMs.toFixed(0),
  ];
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

/** How long the slowest of many small questions took. */
async function longestPing(
  ask: Ask,
  signal: AbortSignal,
): Promise<number> {
  let longestMs = 0;
  while (!signal.aborted) {
    const startMs = performance.now();
    await ask("/healthz/ping");
    longestMs = Math.max(longestMs, performance.now() - startMs);
    await pause(2);
  }
  return longestMs;
}

function manyPods(nodeName: string, count: number): V1Pod[] {
  return Array.from({ length: count }, (_, n) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: `scrape-${n}`, labels: { app: "scrape" } },
    spec: {
      nodeName,
      containers: [{
        name: "app",
        image: BUSYBOX,
        imagePullPolicy: "IfNotPresent",
        command: ["sh", "-c", OBEDIENT],
      }],
    },
  }));
}
