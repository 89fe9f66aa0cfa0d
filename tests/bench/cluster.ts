/**
 * The benchmark in a cluster: denolet and, when there is one, the real kubelet,
 * each the only node of a control plane of its own. They stand side by side
 * and take turns; who has no turn idles, which the table shows the cost of.
 */
import { clusterDown, clusterUp, stopKubelet } from "../../deploy/cluster.ts";
import { findProgram } from "../../deploy/cluster/programs.ts";
import { makeScratchPackage } from "../../deploy/package.ts";
import { down, stopAgent, up, worldFacts } from "../../deploy/world.ts";
import {
  denolet,
  KUBELET,
  type Member,
  type MemberProcess,
  openMember,
} from "./cluster_member.ts";
import { atRest } from "./cluster_rest.ts";
import {
  allAtOnce,
  type Breakdown,
  type ClusterBench,
  joining,
  oneAtATime,
} from "./cluster_rows.ts";
import { countsOf } from "./counts.ts";
import { align, sideBySide } from "./report.ts";
import { conditions } from "./usage.ts";

const NAMES = { ours: "denolet", peer: "kubelet" };
/** The agent's permission set knows only the world `bench`. */
const WORLDS = { ours: "bench", peer: "bench-kubelet" };

type Options = ReturnType<typeof options>;

function options(args: readonly string[]) {
  return countsOf(args, { rounds: 20, batches: 3, pods: 40, idle: 120 });
}

export async function benchCluster(args: readonly string[]): Promise<void> {
  const chosen = options(args);
  const over = new AbortController();
  const interrupt = () => over.abort(new Error("interrupted"));
  Deno.addSignalListener("SIGINT", interrupt);
  Deno.addSignalListener("SIGTERM", interrupt);
  try {
    await run(chosen, over);
  } finally {
    over.abort();
    for (const name of Object.values(WORLDS)) await remove(name);
    Deno.removeSignalListener("SIGINT", interrupt);
    Deno.removeSignalListener("SIGTERM", interrupt);
  }
}

async function remove(name: string): Promise<void> {
  const world = worldFacts(name);
  await stopAgent(world);
  await stopKubelet(world);
  await clusterDown(world);
  await down(name);
}

async function run(chosen: Options, over: AbortController): Promise<void> {
  const lacking = await findProgram("kubelet").then(() => undefined, String);
  const members: Member[] = [];
  const folder = await Deno.makeTempDir({ prefix: "denolet-bench." });
  try {
    const file = `${folder}/denolet`;
    await makeScratchPackage(file);
    members.push(await place(WORLDS.ours, NAMES.ours, denolet(file), over));
    if (lacking === undefined) {
      members.push(await place(WORLDS.peer, NAMES.peer, KUBELET, over));
    }
    await measure(chosen, members);
  } finally {
    for (const member of members) member.close();
    await Deno.remove(folder, { recursive: true });
  }
  if (lacking !== undefined) console.log(`\nSKIPPED: the kubelet; ${lacking}`);
}

/** A fresh world with a control plane, and somebody who watches it. */
async function place(
  worldName: string,
  name: string,
  process: MemberProcess,
  over: AbortController,
): Promise<Member> {
  over.signal.throwIfAborted();
  await remove(worldName);
  const cluster = await clusterUp(await up(worldName));
  const member = await openMember({
    name,
    cluster,
    process,
    signal: over.signal,
  });
  await member.watch((error) => over.abort(error));
  return member;
}

async function measure(
  chosen: Options,
  members: readonly Member[],
): Promise<void> {
  const bench: ClusterBench = {
    members,
    rounds: chosen.rounds,
    batches: chosen.batches,
    batchSize: chosen.pods,
    idleSeconds: chosen.idle,
    say: (text) => console.error(`  ${text}`),
  };
  const version = await members[0]?.version();
  const before = conditions(`Kubernetes ${version}`);
  const findings = [
    await joining(bench),
    await oneAtATime(bench),
    await allAtOnce(bench),
    await atRest(bench),
  ];
  console.log([
    ...before,
    members.length > 1
      ? "Two control planes side by side; one agent works at a time."
      : "One control plane.",
    "",
    sideBySide(findings.flatMap(({ rows }) => rows), NAMES),
    ...findings.flatMap(({ breakdowns }) => breakdowns).map(lines),
  ].join("\n"));
}

/** One line per kind of request, the most frequent first. */
function lines({ title, counts }: Breakdown): string {
  const ours = counts.get(NAMES.ours);
  const peer = counts.get(NAMES.peer);
  const most = (name: string) =>
    Math.max(ours?.get(name) ?? 0, peer?.get(name) ?? 0);
  const names = [...new Set([...ours?.keys() ?? [], ...peer?.keys() ?? []])]
    .toSorted((a, b) => most(b) - most(a));
  const text = (of: ReadonlyMap<string, number> | undefined, name: string) =>
    of?.get(name)?.toFixed(1) ?? "-";
  return "\n" + align([
    [title, NAMES.ours, NAMES.peer],
    ...names.map((name) => [`  ${name}`, text(ours, name), text(peer, name)]),
  ]);
}
