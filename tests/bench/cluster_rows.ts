/**
 * The experiments of the cluster's table that give orders: joining, one pod at
 * a time, many at once. Each takes all members in turn, so that one run
 * compares them under the same load.
 */
import { type Member, podNames } from "./cluster_member.ts";
import {
  count,
  type Counts,
  isRoutine,
  openLedger,
} from "./cluster_requests.ts";
import {
  amount,
  middle,
  milliseconds,
  type Row,
  type Value,
} from "./report.ts";
import { pause, SETTLE_MS } from "./subject.ts";
import { cpuMs } from "./usage.ts";

export interface ClusterBench {
  readonly members: readonly Member[];
  readonly rounds: number;
  readonly batches: number;
  readonly batchSize: number;
  readonly idleSeconds: number;
  readonly say: (text: string) => void;
}

/** How often each request was made, by member: the lines below the table. */
export interface Breakdown {
  readonly title: string;
  readonly counts: ReadonlyMap<string, Counts>;
}

export interface Findings {
  readonly rows: readonly Row[];
  readonly breakdowns: readonly Breakdown[];
}

const JOINS = 3;

/** Leaves every member a usable node that has run a pod. */
export async function joining(bench: ClusterBench): Promise<Findings> {
  const values = new Map<string, Value>();
  for (const member of bench.members) {
    const runs = [await member.join()];
    while (runs.length < JOINS) {
      await member.leave();
      runs.push(await member.join());
    }
    values.set(member.name, milliseconds(runs));
    await member.untilSchedulable();
    // The first pod of a world makes its bridge and unpacks the image.
    await lifecycle(member);
    bench.say(`${member.name}: joined ${JOINS} times`);
  }
  return {
    rows: [{
      title: "bootstrap token to node Ready, p50 / max ms",
      values,
      goal: { kind: "absolute", limit: 5_000, at: "most" },
    }],
    breakdowns: [],
  };
}

interface Lifecycle {
  readonly readyMs: number;
  readonly goneMs: number;
  readonly requests: Counts;
}

/** One pod, created and deleted, and what the agent asked meanwhile. */
async function lifecycle(member: Member): Promise<Lifecycle> {
  const ledger = await openLedger(member.cluster);
  const names = podNames(1);
  const readyMs = await member.start(names);
  await pause(SETTLE_MS, member.signal);
  const goneMs = await member.remove(names);
  await pause(SETTLE_MS, member.signal);
  const requests = (await ledger.requests())
    .filter((request) => !isRoutine(request));
  return { readyMs, goneMs, requests: count(requests) };
}

async function scheduled(member: Member): Promise<number> {
  const names = podNames(1);
  const readyMs = await member.start(names, "scheduler");
  await pause(SETTLE_MS, member.signal);
  await member.remove(names);
  await pause(SETTLE_MS, member.signal);
  return readyMs;
}

interface Single {
  readonly direct: Lifecycle[];
  readonly scheduledMs: number[];
}

/** One list per member, by its name. */
function lists<T>(
  { members }: ClusterBench,
  empty: () => T,
): { readonly member: Member; readonly of: T }[] {
  return members.map((member) => ({ member, of: empty() }));
}

export async function oneAtATime(bench: ClusterBench): Promise<Findings> {
  const results = lists<Single>(
    bench,
    () => ({ direct: [], scheduledMs: [] }),
  );
  for (let round = 1; round <= bench.rounds; round++) {
    for (const { member, of } of results) {
      of.direct.push(await lifecycle(member));
      of.scheduledMs.push(await scheduled(member));
    }
    bench.say(`one pod at a time: ${round} of ${bench.rounds}`);
  }
  const values = (project: (single: Single) => Value) =>
    new Map(results.map(({ member, of }) => [member.name, project(of)]));
  return {
    rows: [{
      title: "one pod, created to Ready, p50 / max ms",
      values: values(({ direct }) =>
        milliseconds(direct.map((run) => run.readyMs))
      ),
      goal: { kind: "absolute", limit: 260, at: "most" },
    }, {
      title: "the same through the scheduler, p50 / max ms",
      values: values(({ scheduledMs }) => milliseconds(scheduledMs)),
    }, {
      title: "one pod, deleted to gone, p50 / max ms",
      values: values(({ direct }) =>
        milliseconds(direct.map((run) => run.goneMs))
      ),
      goal: { kind: "absolute", limit: 400, at: "most" },
    }, {
      title: "requests per pod, created to gone, p50",
      values: values(({ direct }) =>
        amount(middle(direct.map(({ requests }) => sum(requests))), 1)
      ),
      goal: { kind: "absolute", limit: 10, at: "most" },
    }],
    breakdowns: [{
      title: "requests per pod, created to gone, mean",
      counts: new Map(results.map(({ member, of }) => [
        member.name,
        mean(of.direct.map(({ requests }) => requests)),
      ])),
    }],
  };
}

function sum(counts: Counts): number {
  return [...counts.values()].reduce((total, each) => total + each, 0);
}

export function mean(all: readonly Counts[]): Counts {
  const names = new Set(all.flatMap((counts) => [...counts.keys()]));
  return new Map([...names].map((name) => {
    const total = all.map((counts) => counts.get(name) ?? 0)
      .reduce((sum, each) => sum + each, 0);
    return [name, total / all.length];
  }));
}

interface Batch {
  readonly readyMs: number;
  readonly goneMs: number;
  /** The agent's CPU time. */
  readonly agentMs: number;
}

export async function allAtOnce(bench: ClusterBench): Promise<Findings> {
  const size = bench.batchSize;
  const results = lists<Batch[]>(bench, () => []);
  for (let batch = 1; batch <= bench.batches; batch++) {
    for (const { member, of } of results) {
      const names = podNames(size);
      const beforeMs = await cpuMs(member.pid);
      const readyMs = await member.start(names);
      await pause(SETTLE_MS, member.signal);
      const goneMs = await member.remove(names);
      await pause(SETTLE_MS, member.signal);
      const agentMs = await cpuMs(member.pid) - beforeMs;
      of.push({ readyMs, goneMs, agentMs });
    }
    bench.say(`${size} pods at once: ${batch} of ${bench.batches}`);
  }
  const values = (key: keyof Batch, project: (ms: number) => number) =>
    new Map(results.map(({ member, of }) => {
      const ms = middle(of.map((run) => run[key]));
      return [member.name, amount(project(ms), 1)];
    }));
  const podsPerSecond = (ms: number) => size / ms * 1_000;
  return {
    rows: [{
      title: `${size} pods at once, all Ready, pods/s`,
      values: values("readyMs", podsPerSecond),
      goal: { kind: "of-peer", limit: 1.25, at: "least" },
    }, {
      title: `${size} pods at once, all gone, pods/s`,
      values: values("goneMs", podsPerSecond),
      goal: { kind: "of-peer", limit: 1, at: "least" },
    }, {
      title: "agent CPU per pod of these, created to gone, ms",
      values: values("agentMs", (ms) => ms / size),
      goal: { kind: "of-peer", limit: 1, at: "most" },
    }],
    breakdowns: [],
  };
}
