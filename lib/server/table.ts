/**
 * Pods as rows of a table: the same words that `kubectl get pods` prints, so
 * that nobody has to learn others. Pure.
 * Compat: kubectl 1.36 printPod.
 */
import { parseJson } from "../base/json.ts";
import {
  CONFIG_SEEN,
  containersOf,
  nameOf,
  namespaceOf,
  sidecarsOf,
} from "../api/pod.ts";
import type { PodStatusJson } from "../api/status.ts";
import { initWord } from "./init_word.ts";
import { dated, humanDuration, timeMs } from "./times.ts";
import type { PodView } from "./view.ts";

export interface PodRow {
  readonly namespace: string;
  readonly name: string;
  /** `1/2` */
  readonly ready: string;
  readonly status: string;
  readonly restarts: number;
  readonly lastRestartAt?: string;
  readonly createdAt?: string;
  readonly ip?: string;
}

/** What `/pods/table` answers: rows, and the moment they are true for. */
export interface PodTable {
  readonly nodeName: string;
  readonly at: string;
  readonly rows: readonly PodRow[];
}

/** Room between two columns, as kubectl leaves it. */
const GAP = "   ";

export function podTable(
  nodeName: string,
  views: readonly PodView[],
  nowMs: number,
): PodTable {
  return { nodeName, at: dated(nowMs), rows: views.map(podRow) };
}

export function podRow(view: PodView): PodRow {
  const { pod, status } = view;
  const sidecars = sidecarsOf(pod)
    .map(({ name }) => name);
  const staying = [
    ...(status.initContainerStatuses ?? [])
      .filter(({ name }) => sidecars.includes(name)),
    ...status.containerStatuses,
  ];
  const ready = staying
    .filter((each) => each.ready && each.state.running !== undefined);
  const ends = staying.flatMap(({ lastState }) =>
    timeMs(lastState.terminated?.finishedAt) ?? []
  );
  const createdMs = createdAtMs(view);
  return {
    namespace: namespaceOf(pod),
    name: nameOf(pod),
    ready: `${ready.length}/${containersOf(pod).length + sidecars.length}`,
    status: statusWord(view),
    restarts: staying
      .reduce((sum, { restartCount }) => sum + restartCount, 0),
    ...ends.length === 0 ? {} : { lastRestartAt: dated(Math.max(...ends)) },
    ...createdMs === undefined ? {} : { createdAt: dated(createdMs) },
    ...status.podIP === undefined ? {} : { ip: status.podIP },
  };
}

/** The pod's own time first; what an agent has seen begins anew with it. */
function createdAtMs({ pod, status }: PodView): number | undefined {
  return timeMs(pod.metadata?.creationTimestamp) ?? timeMs(status.startTime) ??
    timeMs(pod.metadata?.annotations?.[CONFIG_SEEN]);
}

/** `Running`, `CrashLoopBackOff`, `Completed`, `Terminating`, … */
export function statusWord(view: PodView): string {
  const { status, state } = view;
  const isEnding = state.kind === "stopping" || state.kind === "cleaning";
  const isOver = status.phase === "Succeeded" || status.phase === "Failed";
  return isEnding && !isOver
    ? "Terminating"
    : initWord(view) ?? reasonWord(status);
}

function reasonWord(status: PodStatusJson): string {
  let word = status.reason ?? status.phase;
  let failedWord = "";
  let hasRunning = false;
  // The first container of the list has the last word.
  for (const container of status.containerStatuses.toReversed()) {
    const { waiting, terminated, running } = container.state;
    if (waiting !== undefined && waiting.reason !== "") {
      word = waiting.reason;
    } else if (terminated !== undefined) {
      word = terminated.reason || `ExitCode:${terminated.exitCode}`;
      if (terminated.exitCode !== 0) failedWord = word;
    } else if (container.ready && running !== undefined) {
      hasRunning = true;
    }
  }
  if (word !== "Completed") return word;
  if (hasRunning && isReady(status)) return "Running";
  if (failedWord !== "") return failedWord;
  return hasRunning ? "NotReady" : word;
}

function isReady(status: PodStatusJson): boolean {
  return status.conditions.some((each) =>
    each.type === "Ready" && each.status === "True"
  );
}

/** The table for a terminal, its last line ended; no rows, no text. */
export function renderTable(
  table: PodTable,
  namespaces: "shown" | "hidden",
): string {
  if (table.rows.length === 0) return "";
  const nowMs = timeMs(table.at) ?? 0;
  const heads = ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP"];
  const lines = [
    ["NAMESPACE", ...heads],
    ...table.rows.map((row) => cells(row, nowMs)),
  ].map((line) => namespaces === "shown" ? line : line.slice(1));
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0))
  );
  return lines.map((line) =>
    line.map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join(GAP).trimEnd() + "\n"
  ).join("");
}

function cells(row: PodRow, nowMs: number): string[] {
  const since = (time: string | undefined) => {
    const ms = timeMs(time);
    return ms === undefined ? undefined : humanDuration(nowMs - ms);
  };
  const last = since(row.lastRestartAt);
  const restarts = row.restarts > 0 && last !== undefined
    ? `${row.restarts} (${last} ago)`
    : String(row.restarts);
  return [
    row.namespace,
    row.name,
    row.ready,
    row.status,
    restarts,
    since(row.createdAt) ?? "<unknown>",
    row.ip ?? "<none>",
  ];
}

/** Reads back what `/pods/table` answered; undefined when it is not that. */
export function parseTable(text: string): PodTable | undefined {
  const value = parseJson(text);
  return isTable(value) ? value : undefined;
}

function isTable(value: unknown): value is PodTable {
  return hasTexts(value, ["nodeName", "at"]) && "rows" in value &&
    Array.isArray(value.rows) && value.rows.every(isRow);
}

function isRow(value: unknown): value is PodRow {
  return hasTexts(value, ["namespace", "name", "ready", "status"]) &&
    "restarts" in value && typeof value.restarts === "number";
}

function hasTexts(value: unknown, names: readonly string[]): value is object {
  if (typeof value !== "object" || value === null) return false;
  const fields = new Map(Object.entries(value));
  return names.every((name) => typeof fields.get(name) === "string");
}
