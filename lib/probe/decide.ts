/**
 * The rules of probes: when one may be asked, when answers of the same kind in
 * a row count, and what all probes of a container say together. Called by
 * run.ts with everything it needs to know.
 * Compat: kubelet 1.36 prober/worker.go doProbe.
 */
import type { V1Probe } from "../api/types.ts";
import type { ProbeKind, Verdict } from "./types.ts";

export type Answer = "success" | "failure";

/**
 * One probe of one instance of a container.
 *
 *   recorded: what counts now, once enough answers in a row said so
 *   isOnHold: decided until there is another instance
 */
export interface ProbeState {
  readonly recorded: Answer | "unknown";
  readonly streak: { readonly answer: Answer; readonly count: number };
  readonly isOnHold: boolean;
}

const NO_STREAK = { answer: "success", count: 0 } as const;

/**
 * Of a new instance, or of one that ran before the agent did: then what was
 * told of it holds until its probes say otherwise.
 */
export function firstState(
  kind: ProbeKind,
  told: { readonly isStarted: boolean; readonly isReady: boolean } | undefined,
): ProbeState {
  const state = { streak: NO_STREAK, isOnHold: false };
  switch (kind) {
    case "liveness":
      return { ...state, recorded: "success" };
    case "readiness":
      return { ...state, recorded: told?.isReady ? "success" : "failure" };
    case "startup":
      return told?.isStarted
        ? { ...state, recorded: "success", isOnHold: true }
        : { ...state, recorded: "unknown" };
  }
}

/** A streak below its threshold leaves what is recorded as it was. */
export function afterAnswer(
  kind: ProbeKind,
  before: ProbeState,
  { answer, spec }: { readonly answer: Answer; readonly spec: V1Probe },
): ProbeState {
  const isSame = before.streak.answer === answer;
  const count = isSame ? before.streak.count + 1 : 1;
  const streak = { answer, count };
  if (count < thresholdOf(spec, answer)) return { ...before, streak };
  const isOnHold = kind === "startup" ||
    (kind === "liveness" && answer === "failure");
  return { recorded: answer, streak, isOnHold };
}

export function thresholdOf(spec: V1Probe, answer: Answer): number {
  return answer === "failure"
    ? spec.failureThreshold ?? 3
    : spec.successThreshold ?? 1;
}

export type Gate =
  | { readonly kind: "open" }
  /** Not before this wall time. */
  | { readonly kind: "later"; readonly atMs: number }
  /** Not until something else changes. */
  | { readonly kind: "closed" };

const CLOSED: Gate = { kind: "closed" };

export function gate(
  kind: ProbeKind,
  state: ProbeState,
  around: {
    readonly spec: V1Probe;
    readonly isStarted: boolean;
    /** The pod is being stopped. */
    readonly isStopping: boolean;
    readonly startedAtMs: number;
    readonly nowMs: number;
  },
): Gate {
  if (state.isOnHold) return CLOSED;
  if (around.isStopping && kind !== "readiness") return CLOSED;
  if (around.isStarted === (kind === "startup")) return CLOSED;
  const delayMs = (around.spec.initialDelaySeconds ?? 0) * 1000;
  const atMs = around.startedAtMs + delayMs;
  return around.nowMs < atMs ? { kind: "later", atMs } : { kind: "open" };
}

/** What all probes of an instance say. `states` has no probe that is not. */
export function verdictOf(
  states: ReadonlyMap<ProbeKind, ProbeState>,
  { isStopping }: { readonly isStopping: boolean },
): Verdict {
  const recorded = (kind: ProbeKind) => states.get(kind)?.recorded;
  const isStarted = (recorded("startup") ?? "success") === "success";
  const isReady = isStarted &&
    (recorded("readiness") ?? "success") === "success";
  // A pod that is being stopped needs nobody else to end its containers.
  return {
    isStarted,
    isReady,
    failed: isStopping ? undefined : failedOf(recorded),
  };
}

function failedOf(
  recorded: (kind: ProbeKind) => Answer | "unknown" | undefined,
): Verdict["failed"] {
  if (recorded("startup") === "failure") return "startup";
  return recorded("liveness") === "failure" ? "liveness" : undefined;
}

/** The first of a probe's times after `afterMs`; all on one clock. */
export function tickAfter(
  anchorMs: number,
  periodMs: number,
  afterMs: number,
): number {
  const count = Math.floor((afterMs - anchorMs) / periodMs) + 1;
  return anchorMs + Math.max(0, count) * periodMs;
}

/**
 * The time after `dueMs`. Of the times that have passed since, one is made up
 * for, as a Go ticker does.
 */
export function tickAgain(
  anchorMs: number,
  periodMs: number,
  { dueMs, nowMs }: { readonly dueMs: number; readonly nowMs: number },
): number {
  const nextMs = tickAfter(anchorMs, periodMs, dueMs);
  const missed = Math.floor((nowMs - anchorMs) / periodMs);
  return Math.max(nextMs, anchorMs + missed * periodMs);
}

/** The first of a probe's times that is not before `fromMs`. */
export function tickFrom(
  anchorMs: number,
  periodMs: number,
  fromMs: number,
): number {
  const count = Math.ceil((fromMs - anchorMs) / periodMs);
  return anchorMs + Math.max(0, count) * periodMs;
}

export function isSameVerdict(one: Verdict, other: Verdict): boolean {
  return one.isStarted === other.isStarted && one.isReady === other.isReady &&
    one.failed === other.failed;
}
