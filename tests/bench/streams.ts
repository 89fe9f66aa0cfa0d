/**
 * What streams cost: a large file through `kubectl exec`, into it, and through
 * `kubectl port-forward`, and a client that stops reading; under this agent and
 * under the real kubelet. All go through the API server. Wants a world with a
 * cluster (DENOLET_TEST_WORLD).
 */
import { findProgram } from "../../deploy/cluster/programs.ts";
import type { V1Pod } from "../../lib/api/types.ts";
import { BUSYBOX, until } from "../node/agent_world.ts";
import { countsOf } from "./counts.ts";
import { amount, type Row, sideBySide, type Value } from "./report.ts";
import { cluster, type Side, sides, withPods } from "./sides.ts";
import { pause } from "./subject.ts";
import { conditions, cpuMs } from "./usage.ts";

const NAME = "streams";
const LABEL = `app=${NAME}`;
const MIB = 1024 * 1024;
const SAMPLE_MS = 50;
const WARM_MIB = 32;
/** A client that stops reading holds on for so long. */
const STALL_MS = 8_000;
/** What the garbage of a stream may take to be gone. */
const SETTLE_MS = 3_000;

interface Measured {
  readonly mibPerSecond: number;
  readonly cpuMs: number;
  /** MiB: before, at most, and after. */
  readonly rss: readonly [number, number, number];
}

type Experiment = (mib: number) => Promise<number>;

const EXPERIMENTS: readonly (readonly [string, Experiment])[] = [
  ["exec cat", execDown],
  ["exec -i", execUp],
  ["port-forward", forwardDown],
];

export async function benchStreams(args: readonly string[]): Promise<void> {
  const { mib } = countsOf(args, { mib: 1024 });
  const all = await sides();
  const found = new Map<string, ReadonlyMap<string, Measured>>();
  for (const side of all) found.set(side.name, await measured(side, mib));
  const names = { ours: "denolet", peer: "kubelet" };
  console.log([
    ...conditions(`${mib} MiB each way`),
    "",
    sideBySide(rowsOf(found), names),
  ].join("\n"));
}

function rowsOf(
  found: ReadonlyMap<string, ReadonlyMap<string, Measured>>,
): Row[] {
  const titles = [...EXPERIMENTS.map(([title]) => title), "stops reading"];
  return titles.flatMap((title) => {
    const values = (show: (of: Measured) => Value) =>
      new Map(
        [...found].flatMap(([side, rows]) => {
          const of = rows.get(title);
          return of === undefined ? [] : [[side, show(of)] as const];
        }),
      );
    const isRate = title !== "stops reading";
    return [
      ...isRate
        ? [{
          title: `${title}: MiB/s`,
          values: values((of) => amount(of.mibPerSecond, 0)),
          goal: { kind: "of-peer", limit: 0.8, at: "least" } as const,
        }]
        : [],
      {
        title: `${title}: CPU ms`,
        values: values((of) => amount(of.cpuMs, 0)),
      },
      {
        title: `${title}: RSS MiB before / most / after`,
        values: values(({ rss }) => ({
          number: rss[1] - rss[0],
          text: rss.map((each) => each.toFixed(0)).join(" / "),
        })),
        goal: { kind: "absolute", limit: 24, at: "most" } as const,
      },
    ];
  });
}

async function measured(
  side: Side,
  mib: number,
): Promise<ReadonlyMap<string, Measured>> {
  const pid = await side.start();
  try {
    return await withPods(LABEL, [aPod(side.nodeName, mib)], async () => {
      await until("the file", async () => await execDown(1) > 0);
      const rows = new Map<string, Measured>();
      for (const [title, experiment] of EXPERIMENTS) {
        // Not the memory of what is used for the first time.
        await experiment(WARM_MIB);
        rows.set(title, await watched(pid, mib, () => experiment(mib)));
      }
      const stalled = () => stopsReading().then(() => STALL_MS);
      rows.set("stops reading", await watched(pid, 0, stalled));
      return rows;
    });
  } finally {
    await side.stop();
  }
}

/** `work` tells how long it took itself, in milliseconds. */
async function watched(
  pid: number,
  mib: number,
  work: () => Promise<number>,
): Promise<Measured> {
  await pause(SETTLE_MS);
  const before = await residentMib(pid);
  const beforeMs = await cpuMs(pid);
  const stop = new AbortController();
  const most = mostResident(pid, stop.signal);
  const tookMs = await work();
  const usedMs = await cpuMs(pid) - beforeMs;
  await pause(SETTLE_MS);
  stop.abort();
  const rss = [before, await most, await residentMib(pid)] as const;
  return { mibPerSecond: mib / (tookMs / 1_000), cpuMs: usedMs, rss };
}

async function mostResident(pid: number, signal: AbortSignal): Promise<number> {
  let most = 0;
  while (!signal.aborted) {
    most = Math.max(most, await residentMib(pid));
    await pause(SAMPLE_MS);
  }
  return most;
}

async function residentMib(pid: number): Promise<number> {
  const text = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+)/m.exec(text)?.[1]) / 1024;
}

async function execDown(mib: number): Promise<number> {
  const head = `head -c ${mib * MIB} /data/zero`;
  const child = await started(["exec", NAME, "--", "sh", "-c", head]);
  const startMs = performance.now();
  const length = await drained(child.stdout);
  const tookMs = performance.now() - startMs;
  await child.status;
  return length === mib * MIB ? tookMs : broken("exec", length);
}

async function execUp(mib: number): Promise<number> {
  const child = await started(
    ["exec", "-i", NAME, "--", "sh", "-c", "wc -c"],
    "piped",
  );
  const chunk = new Uint8Array(MIB);
  const startMs = performance.now();
  const said = new Response(child.stdout).text();
  const writer = child.stdin.getWriter();
  for (let each = 0; each < mib; each++) await writer.write(chunk);
  await writer.close();
  const length = Number(await said);
  const tookMs = performance.now() - startMs;
  await child.status;
  return length === mib * MIB ? tookMs : broken("exec -i", length);
}

async function forwardDown(mib: number): Promise<number> {
  const child = await started(["port-forward", NAME, ":8080"]);
  const reader = child.stdout.getReader();
  try {
    const { value } = await reader.read();
    const words = new TextDecoder().decode(value);
    const port = /127\.0\.0\.1:(\d+) ->/.exec(words)?.[1];
    const startMs = performance.now();
    const range = `bytes=0-${mib * MIB - 1}`;
    const response = await fetch(`http://127.0.0.1:${port}/zero`, {
      headers: { range },
    });
    const length = await drained(response.body);
    const tookMs = performance.now() - startMs;
    return length === mib * MIB ? tookMs : broken("port-forward", length);
  } finally {
    child.kill("SIGKILL");
    await reader.cancel();
    await child.status;
  }
}

/** Reads a little, then nothing; the rest stays where it comes from. */
async function stopsReading(): Promise<void> {
  const child = await started(["exec", NAME, "--", "cat", "/data/zero"]);
  const reader = child.stdout.getReader();
  await reader.read();
  await pause(STALL_MS);
  child.kill("SIGKILL");
  await reader.cancel();
  await child.status;
}

async function started(
  args: readonly string[],
  stdin: "piped" | "null" = "null",
): Promise<Deno.ChildProcess> {
  return new Deno.Command(await findProgram("kubectl"), {
    args: [...args],
    env: { KUBECONFIG: cluster.adminKubeconfig },
    stdin,
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

async function drained(
  stream: ReadableStream<Uint8Array> | null,
): Promise<number> {
  let length = 0;
  for await (const chunk of stream ?? []) length += chunk.length;
  return length;
}

function broken(what: string, length: number): never {
  throw new Error(`${what}: the stream had ${length} bytes`);
}

/** The file has a hole for its content, so that no disk is measured. */
function aPod(nodeName: string, mib: number): V1Pod {
  const script = "trap 'exit 0' TERM; " +
    `dd if=/dev/null of=/data/zero bs=1M seek=${mib} 2>/dev/null; ` +
    "httpd -p 8080 -h /data; sleep 100000 & wait";
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: NAME, labels: { app: NAME } },
    spec: {
      nodeName,
      volumes: [{ name: "data", emptyDir: {} }],
      containers: [{
        name: "app",
        image: BUSYBOX,
        imagePullPolicy: "IfNotPresent",
        command: ["sh", "-c", script],
        volumeMounts: [{ name: "data", mountPath: "/data" }],
      }],
    },
  };
}
