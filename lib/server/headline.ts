/**
 * The first line of `denolet explain`: the one thing that a pod waits for,
 * until when and for which time, or that it waits for nothing. Pure.
 */
import { containersOf, initContainersOf } from "../api/pod.ts";
import { allStatusesOf, type TerminatedState } from "../api/status.ts";
import type { Blocker } from "../pod/action.ts";
import { RESIZE_STEP } from "../pod/resize.ts";
import type { PodState } from "../pod/state.ts";
import { initWord, nextInit } from "./init_word.ts";
import { oneLine } from "./printable.ts";
import {
  clockTime,
  deadline,
  humanDuration,
  ordinal,
  timeMs,
} from "./times.ts";
import { unready } from "./probe_text.ts";
import type { PodView } from "./view.ts";

/** Longer messages are whole further below. */
const LONGEST_MESSAGE = 400;

/** What a blocker's `what` keeps the pod waiting for. */
const WAITS_FOR: ReadonlyMap<string, string> = new Map([
  ["sources", "Waiting for the sources of pods"],
  ["name", "Waiting for its name"],
  ["node", "Waiting for the node"],
  ["volumes", "Waiting for its volumes"],
  ["runtime", "Waiting for the container runtime"],
  ["network", "Waiting for the runtime's network"],
  ["sandbox", "Waiting for its sandbox"],
  ["image", "Waiting for an image"],
  ["support", "Cannot run on this agent"],
  ["unsupported", "Cannot run on this agent"],
  ["cleaning", "Cleaning up"],
  ["stopping", "Stopping"],
]);

const ON_CHANGE = "it is tried again when the pod changes";

export function headline(view: PodView, nowMs: number): string {
  const { state, status } = view;
  // Of one that runs: it keeps nothing from running.
  const resize = view.blockers.find(({ what }) => what === RESIZE_STEP);
  const [blocker] = view.blockers.filter((each) => each !== resize);
  if (state.kind === "stopping" || state.kind === "cleaning") {
    return ending(state, blocker, nowMs);
  }
  if (status.phase === "Succeeded" || status.phase === "Failed") {
    return finished(view, nowMs);
  }
  if (blocker !== undefined) return waiting(view, blocker, nowMs);
  if (state.kind === "waiting") return waitsFor(state.for);
  const runs = initializing(view) ?? unready(view, nowMs) ?? running(view);
  if (resize === undefined) return runs;
  const message = oneLine(resize.message, LONGEST_MESSAGE);
  return `${runs}. ${message}${nextTry(resize, nowMs)}`;
}

function waitsFor(what: string): string {
  return WAITS_FOR.get(what) ?? `Waiting: ${what}`;
}

function ending(
  state: Extract<PodState, { kind: "stopping" | "cleaning" }>,
  blocker: Blocker | undefined,
  nowMs: number,
): string {
  const isFailure = blocker !== undefined && isReason(blocker.what);
  if (isFailure) {
    const message = oneLine(blocker.message, LONGEST_MESSAGE);
    return `${state.kind === "stopping" ? "Stopping" : "Cleaning up"}: ` +
      `${blocker.what}: ${message}${nextTry(blocker, nowMs)}`;
  }
  if (state.kind === "cleaning") {
    const message = oneLine(blocker?.message ?? "", LONGEST_MESSAGE);
    return message === "" ? "Cleaning up" : `Cleaning up: ${message}`;
  }
  const message = blocker?.message ?? state.order.message;
  const atMs = blocker?.untilMs ?? state.killAtMs;
  const kill = atMs > nowMs
    ? `killed ${deadline(atMs, nowMs)}, if it has not ended by then`
    : "its grace is over";
  return `Stopping: ${oneLine(message, LONGEST_MESSAGE)}; ${kill}`;
}

/** Waiting reasons are contract and begin with a capital letter. */
function isReason(what: string): boolean {
  return /^[A-Z]/.test(what);
}

function waiting(view: PodView, blocker: Blocker, nowMs: number): string {
  const message = oneLine(blocker.message, LONGEST_MESSAGE);
  if (blocker.what === "CrashLoopBackOff") {
    return crashLoop(view, blocker, nowMs);
  }
  if (isReason(blocker.what)) {
    const name = blockedContainer(view, blocker)?.name;
    const subject = name === undefined ? "" : ` for container ${name}`;
    return `Waiting${subject}: ${blocker.what}: ${message}` +
      (nextTry(blocker, nowMs) || `; ${ON_CHANGE}`);
  }
  const isForever = waitsFor(blocker.what) === waitsFor("support");
  return `${waitsFor(blocker.what)}: ${message}` +
    (isForever ? `; ${ON_CHANGE}` : nextTry(blocker, nowMs));
}

function nextTry({ untilMs, count }: Blocker, nowMs: number): string {
  if (untilMs === undefined) return "";
  const times = count === undefined
    ? ""
    : ` (failed ${count} ${count === 1 ? "time" : "times"})`;
  return `; next try ${deadline(untilMs, nowMs)}${times}`;
}

function crashLoop(view: PodView, blocker: Blocker, nowMs: number): string {
  const container = blockedContainer(view, blocker);
  const ended = container?.lastState.terminated;
  const next = blocker.untilMs === undefined
    ? "soon"
    : deadline(blocker.untilMs, nowMs);
  const count = blocker.count === undefined
    ? ""
    : ` (${ordinal(blocker.count)})`;
  return `Waiting to restart container ${container?.name ?? "(unknown)"}: ` +
    `next restart ${next}${count}` +
    (ended === undefined ? "" : `; it ended with ${exitText(ended, nowMs)}`);
}

/** The projection carries a blocker's words to the container it holds up. */
function blockedContainer({ status }: PodView, blocker: Blocker) {
  return allStatusesOf(status).find(({ state }) =>
    state.waiting?.reason === blocker.what &&
    state.waiting.message === blocker.message
  );
}

/** `exit code 137 (OOMKilled, signal 9) 8s ago, at 10:02:21Z` */
export function exitText(ended: TerminatedState, nowMs: number): string {
  const { exitCode, reason } = ended;
  const signal = exitCode > 128 && exitCode <= 128 + 64
    ? `signal ${exitCode - 128}`
    : "";
  const why = [reason, signal].filter((part) => part !== "").join(", ");
  const atMs = timeMs(ended.finishedAt);
  return `exit code ${exitCode}` + (why === "" ? "" : ` (${why})`) +
    (atMs === undefined
      ? ""
      : ` ${humanDuration(nowMs - atMs)} ago, at ${clockTime(atMs, nowMs)}`);
}

function finished({ pod, status }: PodView, nowMs: number): string {
  const count = containersOf(pod).length;
  const failed = status.containerStatuses.filter(({ state }) =>
    (state.terminated?.exitCode ?? 0) !== 0
  );
  const [first] = failed;
  if (first?.state.terminated !== undefined) {
    return `Finished: ${failed.length} of ${containers(count)} failed; ` +
      `${first.name} ended with ${exitText(first.state.terminated, nowMs)}`;
  }
  if (status.phase === "Failed") {
    const words = [status.reason, status.message].filter(Boolean).join(": ");
    return `Finished: failed${words === "" ? "" : `: ${words}`}`;
  }
  return count === 1
    ? "Finished: its container ended well"
    : `Finished: all ${containers(count)} ended well`;
}

function initializing(view: PodView): string | undefined {
  const all = initContainersOf(view.pod);
  const next = nextInit(view);
  const name = all[next]?.name;
  return name === undefined || initWord(view) === undefined
    ? undefined
    : `Initialising: ${next} of ${all.length} init ` +
      `${all.length === 1 ? "container is" : "containers are"} done; ` +
      `now: ${name}`;
}

function running({ pod, status }: PodView): string {
  const count = containersOf(pod).length;
  const isRunning = new Set(
    status.containerStatuses.filter(({ state }) => state.running !== undefined)
      .map(({ name }) => name),
  );
  const others = containersOf(pod).map(({ name }) => name)
    .filter((name) => !isRunning.has(name));
  if (others.length > 0) {
    return `Running: ${isRunning.size} of ${containers(count)} run; ` +
      `not running: ${others.join(", ")}`;
  }
  return count === 1
    ? "Running: its container runs"
    : `Running: all ${containers(count)} run`;
}

function containers(count: number): string {
  return count === 1 ? "1 container" : `${count} containers`;
}
