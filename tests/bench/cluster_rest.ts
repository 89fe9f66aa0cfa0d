/**
 * The experiments of the cluster's table that give no orders: an agent at rest
 * with its pods, and the same agent started again.
 */
import { clusterPids } from "../../deploy/cluster.ts";
import { type Member, podNames } from "./cluster_member.ts";
import {
  count,
  isLease,
  isRoutine,
  isWatch,
  isWrite,
  type Ledger,
  openLedger,
} from "./cluster_requests.ts";
import { type ClusterBench, type Findings, mean } from "./cluster_rows.ts";
import { amount, milliseconds, type Row, type Value } from "./report.ts";
import { pause } from "./subject.ts";
import { cpuMs, idle, type Memory } from "./usage.ts";

/** The kubelet looks at every status once more within this time. */
const LATE_WORK_MS = 10_000;
const RESTARTS = 3;
const QUIET_MS = 1_000;
const PATIENCE_MS = 60_000;

interface Rest {
  readonly used: Memory & { readonly millicores: number };
  readonly requests: ReadonlyMap<string, number>;
  readonly perMinute: number;
  /** Of the agents and control planes that had nothing to do meanwhile. */
  readonly othersMillicores: number;
}

interface Restart {
  readonly steadyMs: number;
  readonly requests: ReadonlyMap<string, number>;
  readonly writes: number;
  readonly statusPatches: number;
}

export async function atRest(bench: ClusterBench): Promise<Findings> {
  const rests = new Map<Member, Rest>();
  const restarts = new Map<Member, Restart[]>();
  for (const member of bench.members) {
    const names = podNames(bench.batchSize);
    await member.start(names);
    bench.say(`${member.name} at rest for ${bench.idleSeconds} s`);
    await pause(LATE_WORK_MS, member.signal);
    rests.set(member, await rest(bench, member));
    const runs: Restart[] = [];
    while (runs.length < RESTARTS) runs.push(await restart(member));
    restarts.set(member, runs);
    bench.say(`${member.name}: started again ${RESTARTS} times`);
    await member.remove(names);
  }
  const title = `with ${bench.batchSize} pods`;
  return {
    rows: [...restRows(title, rests), ...restartRows(title, restarts)],
    breakdowns: [{
      title: `idle ${title}, requests a minute`,
      counts: byName(
        rests,
        ({ requests }) => perMinute(requests, bench.idleSeconds),
      ),
    }, {
      title: `restart ${title}, requests, mean`,
      counts: byName(
        restarts,
        (runs) => mean(runs.map(({ requests }) => requests)),
      ),
    }],
  };
}

function byName<From, To>(
  from: ReadonlyMap<Member, From>,
  project: (value: From) => To,
): Map<string, To> {
  return new Map([...from].map(([{ name }, value]) => [name, project(value)]));
}

function perMinute(
  counts: ReadonlyMap<string, number>,
  seconds: number,
): Map<string, number> {
  return new Map([...counts].map(([name, n]) => [name, n * 60 / seconds]));
}

async function rest(bench: ClusterBench, member: Member): Promise<Rest> {
  const pids = await othersPids(bench, member);
  const ledger = await openLedger(member.cluster);
  const beforeMs = await totalCpuMs(pids);
  const startMs = performance.now();
  const used = await idle(member.pid, bench.idleSeconds, member.signal);
  const othersMs = await totalCpuMs(pids) - beforeMs;
  const tookMs = performance.now() - startMs;
  const requests = (await ledger.requests())
    .filter((request) => !isWatch(request));
  return {
    used,
    requests: count(requests),
    perMinute: requests.length * 60_000 / tookMs,
    othersMillicores: othersMs / tookMs * 1_000,
  };
}

async function othersPids(
  bench: ClusterBench,
  member: Member,
): Promise<number[]> {
  const others = bench.members.filter((each) => each !== member);
  const pids = await Promise.all(others.map(async ({ pid, cluster }) => {
    return [pid, ...Object.values(await clusterPids(cluster.world))];
  }));
  return pids.flat();
}

async function totalCpuMs(pids: readonly number[]): Promise<number> {
  const each = await Promise.all(pids.map(cpuMs));
  return each.reduce((total, ms) => total + ms, 0);
}

/** Ended politely and started; what it asks from its end on is counted. */
async function restart(member: Member): Promise<Restart> {
  const ledger = await openLedger(member.cluster);
  await member.stop();
  await member.spawn();
  const startMs = Date.now();
  const steadyMs = await steadyAt(member, ledger, startMs) - startMs;
  await pause(LATE_WORK_MS, member.signal);
  const requests = (await ledger.requests())
    .filter((request) => !isWatch(request));
  const writes = requests
    .filter((request) => isWrite(request) && !isRoutine(request));
  return {
    steadyMs,
    requests: count(requests),
    writes: writes.length,
    statusPatches: writes
      .filter(({ name }) => name === "patch pods/status").length,
  };
}

/**
 * When the last request was answered before a second without any, by the
 * clock; leases and the node's status do not count, except that the agent is
 * not there before its first lease.
 */
async function steadyAt(
  member: Member,
  ledger: Ledger,
  startMs: number,
): Promise<number> {
  while (Date.now() < startMs + PATIENCE_MS) {
    member.signal.throwIfAborted();
    await pause(100, member.signal);
    const since = (await ledger.requests())
      .filter(({ receivedMs }) => receivedMs >= startMs);
    const lease = since.find(isLease);
    if (lease === undefined) continue;
    const work = since.filter((request) => !isRoutine(request));
    const lastMs = Math.max(
      ...[lease, ...work].map(({ answeredMs }) => answeredMs),
    );
    if (Date.now() - lastMs > QUIET_MS) return lastMs;
  }
  throw new Error(`Cannot see ${member.name} come to rest`);
}

function restRows(
  title: string,
  rests: ReadonlyMap<Member, Rest>,
): Row[] {
  const values = (project: (rest: Rest) => number, digits: number) =>
    byName(rests, (rest): Value => amount(project(rest), digits));
  return [{
    title: `idle ${title}, requests a minute`,
    values: values((rest) => rest.perMinute, 1),
    goal: { kind: "absolute", limit: 8, at: "most" },
  }, {
    title: `idle ${title}, millicores`,
    values: values(({ used }) => used.millicores, 1),
    goal: { kind: "absolute", limit: 15, at: "most" },
  }, {
    title: `idle ${title}, RSS MiB`,
    values: values(({ used }) => used.rssMib, 0),
    goal: { kind: "absolute", limit: 130, at: "most" },
  }, {
    title: `idle ${title}, PSS MiB`,
    values: values(({ used }) => used.pssMib, 0),
  }, {
    title: "the other's agent and control plane meanwhile, millicores",
    values: values((rest) => rest.othersMillicores, 1),
  }];
}

function restartRows(
  title: string,
  restarts: ReadonlyMap<Member, readonly Restart[]>,
): Row[] {
  const worst = (project: (run: Restart) => number) =>
    byName(restarts, (runs) => amount(Math.max(...runs.map(project)), 0));
  return [{
    title: `restart ${title}, start to steady, p50 / max ms`,
    values: byName(
      restarts,
      (runs) => milliseconds(runs.map(({ steadyMs }) => steadyMs)),
    ),
    goal: { kind: "absolute", limit: 3_000, at: "most" },
  }, {
    title: `restart ${title}, pod statuses written, max`,
    values: worst(({ statusPatches }) => statusPatches),
    goal: { kind: "absolute", limit: 0, at: "most" },
  }, {
    title: `restart ${title}, requests written, max`,
    values: worst(({ writes }) => writes),
  }];
}
