/** A probe as people are shown it. Pure; called by run.ts. */
import { thresholdOf } from "./decide.ts";
import type { ProbeView } from "./types.ts";
import type { Probe } from "./watched.ts";

/** `offsetMs`: what turns monotonic times into wall times. */
export function viewOf(probe: Probe, offsetMs: number): ProbeView {
  const { kind, member, spec, state, last, dueMs } = probe;
  const { answer, count } = state.streak;
  return {
    container: member.container.name,
    kind,
    last,
    streak: count,
    threshold: thresholdOf(spec, answer),
    isInTheWay: member.instance !== undefined && kind !== "liveness" &&
      state.recorded !== "success",
    nextAtMs: dueMs === undefined ? undefined : Math.round(dueMs + offsetMs),
  };
}
