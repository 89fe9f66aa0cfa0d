/**
 * The experiments of the table: each takes all subjects in turn, so that one
 * run compares them under the same load, and gives its rows.
 */
import type { AgentSubject } from "./agent.ts";
import type { RawSubject } from "./raw.ts";
import {
  amount,
  middle,
  milliseconds,
  type Row,
  type Value,
} from "./report.ts";
import {
  benchPods,
  type Lifecycle,
  lifecycle,
  type Subject,
} from "./subject.ts";
import { idle } from "./usage.ts";

export interface Bench {
  readonly raw: RawSubject;
  readonly agents: readonly AgentSubject[];
  readonly image: string;
  readonly rounds: number;
  readonly batches: number;
  readonly batchSize: number;
  readonly idleSeconds: number;
  readonly say: (text: string) => void;
}

const CONCURRENCIES = [4, 8, 16];

type Results = Map<string, Lifecycle[]>;

function note(results: Results, name: string, result: Lifecycle): void {
  results.set(name, [...results.get(name) ?? [], result]);
}

function valuesOf(
  results: Results,
  project: (runs: readonly Lifecycle[]) => Value | undefined,
): Map<string, Value> {
  const values = new Map<string, Value>();
  for (const [name, runs] of results) {
    const value = project(runs);
    if (value !== undefined) values.set(name, value);
  }
  return values;
}

function present(
  values: readonly (number | undefined)[],
  project: (values: readonly number[]) => Value,
): Value | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : project(known);
}

export async function oneAtATime(bench: Bench): Promise<Row[]> {
  const subjects: Subject[] = [bench.raw, ...bench.agents];
  bench.raw.concurrency = 1;
  // The first pod of a world makes its bridge and unpacks the image.
  for (const subject of subjects) {
    await lifecycle(subject, benchPods(1, bench.image));
  }
  const results: Results = new Map();
  for (let round = 1; round <= bench.rounds; round++) {
    for (const subject of subjects) {
      const result = await lifecycle(subject, benchPods(1, bench.image));
      note(results, subject.name, result);
    }
    bench.say(`one pod at a time: ${round} of ${bench.rounds}`);
  }
  return [{
    title: "one pod, create to Running, p50 / max ms",
    values: valuesOf(
      results,
      (runs) => milliseconds(runs.map((run) => run.startMs)),
    ),
    goal: { kind: "of-raw", limit: 1.25, at: "most" },
  }, {
    title: "one pod, removed to gone, p50 / max ms",
    values: valuesOf(
      results,
      (runs) => present(runs.map((run) => run.goneMs), milliseconds),
    ),
    goal: { kind: "of-raw", limit: 1.5, at: "most" },
  }, {
    title: "one pod, removed to stopped, p50 / max ms",
    values: valuesOf(
      results,
      (runs) => milliseconds(runs.map((run) => run.stoppedMs)),
    ),
  }];
}

export async function allAtOnce(bench: Bench): Promise<Row[]> {
  const results: Results = new Map();
  for (let batch = 1; batch <= bench.batches; batch++) {
    for (const concurrency of CONCURRENCIES) {
      bench.raw.concurrency = concurrency;
      const pods = benchPods(bench.batchSize, bench.image);
      const result = await lifecycle(bench.raw, pods);
      note(results, String(concurrency), result);
    }
    for (const agent of bench.agents) {
      const pods = benchPods(bench.batchSize, bench.image);
      note(results, agent.name, await lifecycle(agent, pods));
    }
    bench.say(`${bench.batchSize} pods at once: ${batch} of ${bench.batches}`);
  }
  return batchRows(bench, results);
}

function batchRows(bench: Bench, results: Results): Row[] {
  const size = bench.batchSize;
  const podsPerSecond = (
    project: (run: Lifecycle) => number | undefined,
  ) => {
    const values = valuesOf(results, (runs) =>
      present(
        runs.map(project),
        (all) => amount(size / middle(all) * 1_000, 1),
      ));
    return withBestOf(values, bench.raw.name);
  };
  const cpuPerPod = (project: (run: Lifecycle) => number | undefined) =>
    valuesOf(
      results,
      (runs) =>
        present(runs.map(project), (all) => amount(middle(all) / size, 1)),
    );
  return [{
    title: `${size} pods at once, all Running, pods/s`,
    values: podsPerSecond((run) => run.startMs),
    goal: { kind: "of-raw", limit: 0.9, at: "least" },
  }, {
    title: `${size} pods at once, all gone, pods/s`,
    values: podsPerSecond((run) => run.goneMs),
  }, {
    title: `${size} pods at once, all stopped, pods/s`,
    values: podsPerSecond((run) => run.stoppedMs),
  }, {
    title: "agent CPU per pod start, ms",
    values: cpuPerPod((run) => run.startCpuMs),
  }, {
    title: "agent CPU per pod stop, ms",
    values: cpuPerPod((run) => run.stopCpuMs),
  }];
}

/** Raw CRI is measured at its best, whichever concurrency that is. */
function withBestOf(
  values: ReadonlyMap<string, Value>,
  raw: string,
): Map<string, Value> {
  const tried = CONCURRENCIES.flatMap((concurrency) => {
    const value = values.get(String(concurrency));
    return value === undefined ? [] : [{ concurrency, value }];
  });
  const [best] = tried.toSorted((a, b) => b.value.number - a.value.number);
  const all = new Map(values);
  if (best !== undefined) {
    const { concurrency, value } = best;
    all.set(raw, {
      ...value,
      text: `${value.text} (${concurrency} at a time)`,
    });
  }
  return all;
}

export async function atRest(bench: Bench): Promise<Row[]> {
  const millicores = new Map<string, Value>();
  const rss = new Map<string, Value>();
  const pss = new Map<string, Value>();
  for (const agent of bench.agents) {
    bench.say(`${agent.name} at rest for ${bench.idleSeconds} s`);
    await lifecycle(
      agent,
      benchPods(bench.batchSize, bench.image),
      async () => {
        if (agent.pid === undefined) return;
        const used = await idle(agent.pid, bench.idleSeconds);
        millicores.set(agent.name, amount(used.millicores, 1));
        rss.set(agent.name, amount(used.rssMib, 0));
        pss.set(agent.name, amount(used.pssMib, 0));
      },
    );
  }
  const title = `idle with ${bench.batchSize} pods`;
  return [{
    title: `${title}, millicores`,
    values: millicores,
    goal: { kind: "absolute", limit: 15, at: "most" },
  }, {
    title: `${title}, RSS MiB`,
    values: rss,
    goal: { kind: "absolute", limit: 130, at: "most" },
  }, { title: `${title}, PSS MiB`, values: pss }];
}

const COLD_STARTS = 5;

export async function coldStarts(bench: Bench): Promise<Row[]> {
  const healthy = new Map<string, Value>();
  const pod = new Map<string, Value>();
  for (const agent of bench.agents) {
    const runs = [];
    for (let run = 0; run < COLD_STARTS; run++) {
      runs.push(await agent.coldStart(bench.image));
    }
    bench.say(`${agent.name}: ${COLD_STARTS} starts of the process`);
    healthy.set(agent.name, milliseconds(runs.map((run) => run.healthyMs)));
    pod.set(agent.name, milliseconds(runs.map((run) => run.podMs)));
  }
  return [
    { title: "process start to healthz ok, p50 / max ms", values: healthy },
    { title: "process start to waiting pod Running, ms", values: pod },
  ];
}
