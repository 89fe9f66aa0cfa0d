/**
 * `denolet explain` without a pod: what is wrong with the node as a whole,
 * worst first. Pure.
 */
import { titleOf } from "../api/pod.ts";
import type { RuntimeHealth } from "../pod/facts.ts";
import type { ManifestProblem } from "../source/types.ts";
import { headline } from "./headline.ts";
import { oneLine, printable } from "./printable.ts";
import { clockTime, deadline, humanDuration } from "./times.ts";
import type { AgentView, LoopView, PodView } from "./view.ts";

/** A pod that does not simply run, and its first line. */
export interface WaitingPod {
  readonly pod: string;
  readonly headline: string;
}

/** The answer of `/explain`; `text` is all of it to read. */
export interface NodeExplanation {
  readonly nodeName: string;
  readonly version: string;
  readonly headline: string;
  readonly runtime: RuntimeHealth;
  readonly problems: readonly ManifestProblem[];
  readonly waiting: readonly WaitingPod[];
  readonly loops: readonly LoopView[];
  readonly text: string;
}

interface Looked {
  readonly runtime: RuntimeHealth;
  readonly problems: readonly ManifestProblem[];
  readonly waiting: readonly WaitingPod[];
  readonly pods: readonly PodView[];
  readonly loops: readonly LoopView[];
}

const LONGEST_WORDS = 2000;

export function explainNode(view: AgentView, nowMs: number): NodeExplanation {
  const found = lookedAt(view, nowMs);
  const { runtime, problems, loops, waiting } = found;
  const first = headlineOf(found);
  const sections = [
    [first, `Node ${view.nodeName}, agent ${view.version}`],
    section("Manifest problems:", problems.map((p) => problemText(p, nowMs))),
    section(
      "Pods that wait:",
      waiting.map((each) => `  ${each.pod}: ${each.headline}`),
    ),
    section("Loops:", loops.map((loop) => loopText(loop, nowMs))),
  ];
  return {
    nodeName: view.nodeName,
    version: view.version,
    headline: first,
    runtime,
    problems,
    waiting,
    loops,
    text: sections.filter((lines) => lines.length > 0)
      .map((lines) => lines.map((line) => `${printable(line)}\n`).join(""))
      .join("\n"),
  };
}

/** The first line of it. */
export function nodeHeadline(view: AgentView, nowMs: number): string {
  return headlineOf(lookedAt(view, nowMs));
}

function lookedAt(view: AgentView, nowMs: number): Looked {
  const pods = view.pods();
  return {
    pods,
    runtime: view.runtime(),
    problems: view.problems(),
    loops: view.loops(),
    waiting: pods.filter(isHeldUp).map((each) => ({
      pod: titleOf(each.pod),
      headline: headline(each, nowMs),
    })),
  };
}

/** Anything but a pod that runs or has ended as it should. */
function isHeldUp({ state, status, blockers }: PodView): boolean {
  if (status.phase === "Succeeded") return blockers.length > 0;
  return blockers.length > 0 || status.phase !== "Running" ||
    state.kind !== "running";
}

function headlineOf(
  { runtime, problems, waiting, pods, loops }: Looked,
): string {
  const name = runtime.name === "" ? "The container runtime" : runtime.name;
  const words = oneLine(runtime.message, LONGEST_WORDS);
  const why = words === "" ? "" : `: ${words}`;
  if (!runtime.isReady) return `${name} is not ready${why}`;
  if (!runtime.isNetworkReady) {
    return `${name} has no network ready${why}`;
  }
  const stuck = loops.find(({ problem }) => problem !== undefined);
  if (stuck !== undefined) {
    const what = oneLine(stuck.problem ?? "", LONGEST_WORDS);
    return `Not well as a node of its cluster: ${what}`;
  }
  const errors = problems.filter(({ severity }) => severity === "error");
  if (errors.length > 0) {
    return `${errors.length} ${errors.length === 1 ? "problem" : "problems"} ` +
      "in manifests: the pods in them are not as written";
  }
  const many = `${waiting.length} of ${pods.length}`;
  if (waiting.length > 0) {
    return `${many} pods ${waiting.length === 1 ? "waits" : "wait"}`;
  }
  return pods.length === 0
    ? "All is well: there are no pods"
    : `All is well: no pod waits (${pods.length} here)`;
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [title, ...lines];
}

/** `file:line:column: field: message`, as compilers and editors write it. */
function problemText(problem: ManifestProblem, nowMs: number): string {
  const { location, line, column, message, sinceMs } = problem;
  const place = [location, line, column].filter((part) => part !== undefined);
  return `  ${place.join(":")}: ${oneLine(message, LONGEST_WORDS)} ` +
    `(${problem.severity}, since ${clockTime(sinceMs, nowMs)})`;
}

function loopText(loop: LoopView, nowMs: number): string {
  const { name, detail, problem, lastAtMs, nextAtMs } = loop;
  const times = [
    ...lastAtMs === undefined
      ? []
      : [`last ${humanDuration(nowMs - lastAtMs)} ago`],
    ...nextAtMs === undefined ? [] : [`next ${deadline(nextAtMs, nowMs)}`],
  ];
  const words = problem === undefined ? detail : `${detail}: ${problem}`;
  return `  ${name}: ${oneLine(words, LONGEST_WORDS)}` +
    (times.length === 0 ? "" : ` (${times.join(", ")})`);
}
