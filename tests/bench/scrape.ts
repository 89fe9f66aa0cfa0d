/**
 * What it costs to look at a node with many pods: each endpoint of figures and
 * metrics is asked again and again, while somebody else asks for health all the
 * time and so notices when nothing else is done. Wants a world with a cluster
 * (DENOLET_TEST_WORLD).
 */
import { clusterFacts, kubectl } from "../../deploy/cluster.ts";
import { startMember } from "../../deploy/cluster/agent.ts";
import { get } from "../../deploy/cluster/request.ts";
import { stopAgent } from "../../deploy/world.ts";
import type { V1Pod } from "../../lib/api/types.ts";
import { BUSYBOX, OBEDIENT, until, world } from "../node/agent_world.ts";
import { countsOf } from "./counts.ts";
import { align, middle } from "./report.ts";
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
/** Longer than figures are shared, so that each scrape is a whole one. */
const PAUSE_MS = 1_100;
const READY_MS = 180_000;
const cluster = clusterFacts(world);
const LABEL = "app=scrape";

export async function benchScrape(args: readonly string[]): Promise<void> {
  const { pods, times } = countsOf(args, { pods: 100, times: 10 });
  const pid = await startMember(world);
  const { pki, ca, nodeIp, ports } = cluster;
  const pair = `${pki}/kube-apiserver-kubelet-client`;
  const client = Deno.createHttpClient({
    caCerts: [await Deno.readTextFile(ca.certificate)],
    cert: await Deno.readTextFile(`${pair}.crt`),
    key: await Deno.readTextFile(`${pair}.key`),
  });
  const ask = async (path: string): Promise<number> => {
    const url = `https://${nodeIp}:${ports.kubelet}${path}`;
    const answer = await fetch(url, { client });
    const { length } = await answer.arrayBuffer().then((b) =>
      new Uint8Array(b)
    );
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status}`);
    return length;
  };
  try {
    await manyPods(pods);
    const rows: string[][] = [];
    for (const path of PATHS) rows.push(await row({ path, times, pid, ask }));
    const head = ["", "ms p50 / max", "KiB", "CPU ms", "longest stall ms"];
    console.log([
      ...conditions(`${pods} pods`),
      "",
      align([head, ...rows]),
    ].join("\n"));
  } finally {
    client.close();
    await kubectl(world, [
      ...["delete", "pods", "-l", LABEL],
      ...["--wait=false", "--grace-period=1"],
    ]);
    await until("no pods", async () => (await listed()).length === 0, READY_MS);
    await stopAgent(world);
  }
}

interface Scrape {
  readonly path: string;
  readonly times: number;
  readonly pid: number;
  readonly ask: (path: string) => Promise<number>;
}

async function row({ path, times, pid, ask }: Scrape): Promise<string[]> {
  await ask(path);
  const took: number[] = [];
  let stallMs = 0;
  let usedMs = 0;
  let bytes = 0;
  for (let each = 0; each < times; each++) {
    await pause(PAUSE_MS);
    const stop = new AbortController();
    const pings = longestPing(ask, stop.signal);
    await pause(50);
    const beforeMs = await cpuMs(pid);
    const startMs = performance.now();
    bytes = await ask(path);
    took.push(performance.now() - startMs);
    usedMs += await cpuMs(pid) - beforeMs;
    stop.abort();
    stallMs = Math.max(stallMs, await pings);
  }
  return [
    path,
    `${middle(took).toFixed(0)} / ${Math.max(...took).toFixed(0)}`,
    (bytes / 1024).toFixed(0),
    (usedMs / times).toFixed(0),
    stallMs.toFixed(0),
  ];
}

/** How long the slowest of many small questions took. */
async function longestPing(
  ask: Scrape["ask"],
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

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function manyPods(count: number): Promise<void> {
  const items = Array.from({ length: count }, (_, n): V1Pod => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: `scrape-${n}`, labels: { app: "scrape" } },
    spec: {
      nodeName: world.name,
      containers: [{
        name: "app",
        image: BUSYBOX,
        imagePullPolicy: "IfNotPresent",
        command: ["sh", "-c", OBEDIENT],
      }],
    },
  }));
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    const list = { apiVersion: "v1", kind: "List", items };
    await Deno.writeTextFile(file, JSON.stringify(list));
    await kubectl(world, ["create", "-f", file]);
  } finally {
    await Deno.remove(file);
  }
  await until(
    `${count} running pods`,
    async () =>
      (await listed()).filter(({ status }) => status?.phase === "Running")
        .length === count,
    READY_MS,
  );
}

async function listed(): Promise<readonly V1Pod[]> {
  const query = new URLSearchParams({ labelSelector: LABEL });
  const { items } = await get<{ items: readonly V1Pod[] }>(
    cluster,
    `/api/v1/namespaces/default/pods?${query}`,
  );
  return items;
}
