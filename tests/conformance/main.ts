/**
 * The upstream suite against a real cluster whose one node is denolet:
 *
 *   deno task conformance [whole|fifth|any|list] [--kubelet] [--runs=N]
 *     [--procs=N] [--focus=PATTERN] [--skip=PATTERN] [--keep]
 *
 * Builds the suite and its images once a machine, prints what failed, and ends
 * with 1 when something did. `--kubelet` judges the real kubelet instead;
 * `--focus` takes the cases whose names match, and `--skip` leaves some out.
 * `any` chooses among all of upstream's cases, not only those for nodes, and
 * wants a `--focus`.
 */
import { parseArgs } from "node:util";
import {
  clusterDown,
  type ClusterFacts,
  clusterFacts,
  clusterUp,
  needPrograms,
  startKubelet,
} from "../../deploy/cluster.ts";
import { startMember } from "../../deploy/cluster/agent.ts";
import { findProgram } from "../../deploy/cluster/programs.ts";
import { run } from "../../deploy/world/command.ts";
import { findTools } from "../../deploy/world/containerd.ts";
import { down, up, worldFacts } from "../../deploy/world.ts";
import {
  FOCUS,
  gist,
  IMPOSSIBLE,
  isInFifth,
  isWanted,
  type Outcome,
  outcomes,
  patternOf,
  SKIP,
  type SuiteReport,
} from "./cases.ts";
import { importSuiteImages, suiteImages } from "./images.ts";

const WORLD = "conformance";

interface Options {
  readonly part: string;
  readonly isKubelet: boolean;
  readonly runs: number;
  readonly procs: number;
  readonly focus: string | undefined;
  readonly skip: string | undefined;
  readonly isKept: boolean;
}

function readOptions(): Options {
  const { values, positionals } = parseArgs({
    args: [...Deno.args],
    allowPositionals: true,
    options: {
      kubelet: { type: "boolean", default: false },
      keep: { type: "boolean", default: false },
      runs: { type: "string", default: "1" },
      procs: { type: "string", default: "12" },
      focus: { type: "string" },
      skip: { type: "string" },
    },
  });
  const part = positionals[0] ?? "whole";
  const isKnown = ["whole", "fifth", "any", "list"].includes(part);
  if (!isKnown || positionals.length > 1) {
    throw new Error(
      `Cannot run ${positionals}: it takes whole, fifth, any or list`,
    );
  }
  if (part === "any" && values.focus === undefined) {
    throw new Error("Cannot run any case there is: it takes a --focus");
  }
  return {
    part,
    isKubelet: values.kubelet,
    runs: Number(values.runs),
    procs: Number(values.procs),
    focus: values.focus,
    skip: values.skip,
    isKept: values.keep,
  };
}

/** The names of cases, as the suite itself lists them. */
async function listCases(part: string): Promise<string[]> {
  const isAny = part === "any";
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await run(await findProgram("e2e.test"), [
      "--ginkgo.dry-run",
      `--ginkgo.json-report=${file}`,
      ...isAny ? [] : [`--ginkgo.focus=${FOCUS}`, `--ginkgo.skip=${SKIP}`],
    ]);
    return outcomes(await readReport(file)).map(({ name }) => name)
      .filter((name) => isAny || isWanted(name)).toSorted();
  } finally {
    await Deno.remove(file);
  }
}

async function readReport(file: string): Promise<SuiteReport[]> {
  return JSON.parse(await Deno.readTextFile(file));
}

function choose(names: readonly string[], options: Options): string[] {
  const { part, focus = "", skip } = options;
  const wanted = new RegExp(focus);
  const unwanted = skip === undefined ? undefined : new RegExp(skip);
  return names.filter((name) =>
    (part !== "fifth" || isInFifth(name)) && wanted.test(name) &&
    unwanted?.test(name) !== true
  );
}

async function prepareNode(options: Options): Promise<ClusterFacts> {
  const world = await up(WORLD);
  const { containerdFolder } = await findTools();
  await importSuiteImages(world.socket, containerdFolder);
  await clusterUp(world, { approve: ["first", "renewal", "serving"] });
  if (options.isKubelet) await startKubelet(world);
  else await startMember(world);
  return clusterFacts(world);
}

async function runCases(
  cluster: ClusterFacts,
  names: readonly string[],
  procs: number,
): Promise<Outcome[]> {
  const folder = await Deno.makeTempDir({ prefix: "denolet-conformance." });
  const log = `${folder}/ginkgo.log`;
  try {
    const child = new Deno.Command("/bin/sh", {
      args: [
        "-c",
        'log=$1; shift; exec "$0" "$@" >"$log" 2>&1',
        await findProgram("ginkgo"),
        log,
        ...[`--procs=${procs}`, "--no-color", `--output-dir=${folder}`],
        ...["--json-report=report.json", `--focus=${patternOf(names)}`],
        ...["--timeout=60m", "--silence-skips"],
        await findProgram("e2e.test"),
        "--",
        "--provider=skeleton",
        `--kubeconfig=${cluster.adminKubeconfig}`,
      ],
    }).spawn();
    await child.status;
    const file = `${folder}/report.json`;
    const isThere = await Deno.stat(file).then(() => true, () => false);
    if (!isThere) {
      const tail = (await Deno.readTextFile(log)).trimEnd().split("\n");
      throw new Error(`The suite did not run:\n${tail.slice(-20).join("\n")}`);
    }
    return outcomes(await readReport(file));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Prints what failed, and the sum. True when nothing that was chosen did. */
function tell(
  found: readonly Outcome[],
  chosen: number,
  seconds: number,
): boolean {
  const failed = found.filter(({ state }) =>
    state !== "passed" && state !== "skipped"
  );
  const skipped = found.filter(({ state }) => state === "skipped");
  for (const { name, message } of skipped) {
    console.log(`SKIP: ${name}: ${message.split("\n")[0]}`);
  }
  for (const { name, state, seconds, message } of failed) {
    console.log(
      `\n${state.toUpperCase()} after ${seconds.toFixed(0)} s: ${name}\n  ` +
        gist(message).join("\n  "),
    );
  }
  const missing = chosen - found.length;
  const passed = found.length - failed.length - skipped.length;
  const isGood = failed.length + missing === 0;
  if (missing > 0) console.log(`\n${missing} of ${chosen} cases did not run`);
  // As `deno test` sums up, for tests/run.sh.
  console.log(
    `\n${isGood ? "ok" : "FAILED"} | ${passed} passed | ` +
      `${failed.length + missing} failed | ${skipped.length} ignored ` +
      `(${seconds.toFixed(0)}s)`,
  );
  return isGood;
}

async function main(): Promise<number> {
  const options = readOptions();
  await needPrograms("e2e");
  const names = choose(await listCases(options.part), options);
  if (options.part === "list") {
    for (const name of names) {
      console.log(`${isInFifth(name) ? "fifth" : "     "} ${name}`);
    }
    console.log(`\n${names.length} cases`);
    return 0;
  }
  // An empty pattern would match every case there is.
  if (names.length === 0) throw new Error("No case matches");
  await suiteImages();
  for (const { text, reason } of IMPOSSIBLE) {
    console.log(`SKIP: ${text}: ${reason}`);
  }
  let isGood = true;
  try {
    const cluster = await prepareNode(options);
    for (let round = 1; round <= options.runs; round++) {
      const startMs = performance.now();
      const found = await runCases(cluster, names, options.procs);
      const seconds = (performance.now() - startMs) / 1000;
      isGood = tell(found, names.length, seconds) && isGood;
    }
  } finally {
    if (!options.isKept) {
      await clusterDown(worldFacts(WORLD));
      await down(WORLD);
    }
  }
  return isGood ? 0 : 1;
}

Deno.exit(await main());
