/** What `denolet explain` says of a pod's probes. Pure. */
import type { ProbeView } from "../probe/types.ts";
import { oneLine } from "./printable.ts";
import { clockTime, deadline } from "./times.ts";
import type { PodView } from "./view.ts";

const LONGEST_WORDS = 400;

/** The probe that keeps a pod from being ready; undefined: none does. */
export function unready(
  { probes = [] }: PodView,
  nowMs: number,
): string | undefined {
  const first = probes.find(({ isInTheWay }) => isInTheWay);
  if (first === undefined) return undefined;
  const { container, kind } = first;
  return `Not ready: the ${kind} probe of container ${container} ` +
    `${standing(first, nowMs)}${nextRun(first, nowMs)}`;
}

export function probeLines({ probes = [] }: PodView, nowMs: number): string[] {
  if (probes.length === 0) return [];
  return [
    "Probes:",
    ...probes.map((probe) =>
      `  ${probe.container} ${probe.kind}: ` +
      `${standing(probe, nowMs)}${nextRun(probe, nowMs)}`
    ),
  ];
}

function standing(probe: ProbeView, nowMs: number): string {
  const { last, streak, threshold } = probe;
  if (last === undefined) return "has not been asked yet";
  const at = clockTime(last.atMs, nowMs);
  const words = last.message === ""
    ? ""
    : `: ${oneLine(last.message, LONGEST_WORDS)}`;
  const count = `${Math.min(streak, threshold)} of ${threshold}`;
  switch (last.result) {
    case "success":
      return `passed at ${at} (${count})${words}`;
    case "failure":
      return `failed at ${at} (${count})${words}`;
    case "error":
      return `could not be asked at ${at}${words}`;
  }
}

function nextRun({ nextAtMs }: ProbeView, nowMs: number): string {
  return nextAtMs === undefined
    ? ""
    : `; asked again ${deadline(nextAtMs, nowMs)}`;
}
