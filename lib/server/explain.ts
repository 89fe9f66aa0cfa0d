/**
 * `denolet explain POD`: what a pod waits for, how its containers are, what
 * happened so far, where to look further. Written for somebody who was woken
 * by it. Pure. Never prints the spec's environment, arguments or files, where
 * secrets are.
 */
import { allContainersOf, CONFIG_SOURCE, titleOf } from "../api/pod.ts";
import {
  allStatusesOf,
  type ContainerStatusJson,
  type TerminatedState,
} from "../api/status.ts";
import type { DatedStep } from "../api/step.ts";
import type { V1Container } from "../api/types.ts";
import type { Blocker } from "../pod/action.ts";
import type { PodState } from "../pod/state.ts";
import { exitText, headline } from "./headline.ts";
import { probeLines } from "./probe_text.ts";
import { oneLine, printable } from "./printable.ts";
import { clockTime, dated, deadline, humanDuration, timeMs } from "./times.ts";
import type { PodView } from "./view.ts";

/** The answer of `/explain/<namespace>/<name>`; `text` is all of it to read. */
export interface Explanation {
  readonly pod: string;
  readonly uid: string;
  readonly headline: string;
  readonly state: PodState;
  readonly blockers: readonly Blocker[];
  readonly containers: readonly ContainerStatusJson[];
  readonly steps: readonly DatedStep[];
  readonly manifest: string;
  readonly logDirectory: string;
  readonly text: string;
}

const LONGEST_WORDS = 2000;

export function explain(view: PodView, nowMs: number): Explanation {
  const { pod, uid, state, blockers, status, steps, logDirectory } = view;
  return {
    pod: titleOf(pod),
    uid,
    headline: headline(view, nowMs),
    state,
    blockers,
    containers: allStatusesOf(status),
    steps,
    manifest: manifestOf(view),
    logDirectory,
    text: explanationText(view, nowMs),
  };
}

export function explanationText(view: PodView, nowMs: number): string {
  const sections = [
    [headline(view, nowMs), identity(view, nowMs)],
    alsoWaiting(view, nowMs),
    view.eviction === undefined ? [] : ["Eviction:", `  ${view.eviction}`],
    containerLines(view, nowMs),
    probeLines(view, nowMs),
    stepLines(view.steps, nowMs),
    places(view),
  ];
  return sections.filter((lines) => lines.length > 0)
    .map((lines) => lines.map((line) => `${printable(line)}\n`).join(""))
    .join("\n");
}

function identity({ pod, uid, status }: PodView, nowMs: number): string {
  const startedMs = timeMs(status.startTime);
  return [
    `Pod ${titleOf(pod)}`,
    `uid ${uid}`,
    `phase ${status.phase}`,
    status.podIP === undefined ? "no IP" : `IP ${status.podIP}`,
    ...startedMs === undefined
      ? []
      : [`since ${dated(startedMs)} (${humanDuration(nowMs - startedMs)})`],
  ].join(", ");
}

function alsoWaiting({ blockers }: PodView, nowMs: number): string[] {
  const others = blockers.slice(1);
  if (others.length === 0) return [];
  return [
    "Also waiting:",
    ...others.map(({ what, message, untilMs }) =>
      `  ${what}: ${oneLine(message, LONGEST_WORDS)}` +
      (untilMs === undefined ? "" : `; ${deadline(untilMs, nowMs)}`)
    ),
  ];
}

function containerLines({ pod, status }: PodView, nowMs: number): string[] {
  const byName = new Map(
    allStatusesOf(status).map((each) => [each.name, each]),
  );
  return [
    "Containers:",
    ...allContainersOf(pod).flatMap((container) => {
      const found = byName.get(container.name);
      return found === undefined
        ? notStarted(container)
        : oneContainer(found, nowMs);
    }),
  ];
}

function notStarted({ name, image }: V1Container): string[] {
  return [`  ${name}: not started`, `    image: ${image ?? "(none)"}`];
}

function oneContainer(status: ContainerStatusJson, nowMs: number): string[] {
  const { name, image, state, lastState, restartCount } = status;
  const restarts = restartCount === 0
    ? ""
    : `; restarted ${restartCount} ${restartCount === 1 ? "time" : "times"}`;
  return [
    `  ${name}: ${stateText(status, nowMs)}${restarts}`,
    ...quoted("why", state.waiting?.message),
    ...endedLines("said", state.terminated),
    ...lastState.terminated === undefined
      ? []
      : [`    last run: ${runText(lastState.terminated, nowMs)}`],
    ...endedLines("said then", lastState.terminated),
    `    image: ${image}`,
  ];
}

function stateText(
  { state, ready }: ContainerStatusJson,
  nowMs: number,
): string {
  const { running, terminated, waiting } = state;
  if (running !== undefined) {
    const sinceMs = timeMs(running.startedAt);
    const since = sinceMs === undefined
      ? ""
      : ` since ${clockTime(sinceMs, nowMs)} (${
        humanDuration(nowMs - sinceMs)
      })`;
    return `running${since}${ready ? "" : ", not ready"}`;
  }
  if (terminated !== undefined) return `ended: ${runText(terminated, nowMs)}`;
  return `waiting: ${waiting?.reason ?? "no reason known"}`;
}

/** How a run ended, and how long it was. */
function runText(ended: TerminatedState, nowMs: number): string {
  const startMs = timeMs(ended.startedAt);
  const endMs = timeMs(ended.finishedAt);
  return exitText(ended, nowMs) +
    (startMs === undefined || endMs === undefined
      ? ""
      : `, after ${humanDuration(endMs - startMs)}`);
}

function endedLines(
  label: string,
  ended: TerminatedState | undefined,
): string[] {
  return quoted(label, ended?.message);
}

/** Words of others, indented, so that they are not taken for ours. */
function quoted(label: string, words: string | undefined): string[] {
  const text = words?.trim() ?? "";
  if (text === "") return [];
  const cut = text.length > LONGEST_WORDS
    ? `${text.slice(0, LONGEST_WORDS)}…`
    : text;
  const [first = "", ...rest] = cut.split("\n");
  return [`    ${label}: ${first}`, ...rest.map((line) => `      ${line}`)];
}

function stepLines(steps: readonly DatedStep[], nowMs: number): string[] {
  if (steps.length === 0) return ["Steps: none remembered"];
  const width = Math.max(...steps.map(({ reason }) => reason.length));
  return [
    `Steps, oldest first (it is ${dated(nowMs)} now):`,
    ...steps.map((step) => {
      const mark = step.type === "Warning" ? "!" : " ";
      const who = step.container === undefined ? "" : `${step.container}: `;
      return `  ${dated(step.lastAtMs)} ${mark} ${
        step.reason.padEnd(width)
      }  ` +
        `${who}${oneLine(step.message, LONGEST_WORDS)}${countText(step)}`;
    }),
  ];
}

function countText({ count, firstAtMs, lastAtMs }: DatedStep): string {
  return count <= 1
    ? ""
    : ` (x${count} over ${humanDuration(lastAtMs - firstAtMs)})`;
}

function places(view: PodView): string[] {
  return [
    `Manifest: ${manifestOf(view)}`,
    `Logs: ${view.logDirectory}/<container>/<attempt>.log`,
  ];
}

function manifestOf({ pod, manifest }: PodView): string {
  if (manifest !== undefined) return manifest;
  switch (pod.metadata?.annotations?.[CONFIG_SOURCE]) {
    case "file":
      return "a file in the node's manifest folder";
    case "http":
      return "the node's manifest URL";
    default:
      return "not from this node";
  }
}
