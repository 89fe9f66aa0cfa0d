/**
 * Is something short, since when, and does a pod have to go for it? Pure: what
 * was measured goes in, what is remembered and what is due comes out. Called by
 * `run.ts` in every round; looks at no pod.
 * Compat: kubelet 1.36 managerImpl.synchronize, up to the ranking.
 */
import type { Signal } from "../api/eviction_signal.ts";
import { pressureOf, quantityOf, resourceOf } from "./thresholds.ts";
import {
  type Observation,
  type Observations,
  type PressureKind,
  PRESSURES,
  type Threshold,
} from "./types.ts";

const NANO = 1_000_000_000n;

export interface EvictionMemory {
  /** Since when each threshold has been met without a break. */
  readonly firstMetMs: ReadonlyMap<Threshold, number>;
  /** When each pressure was last seen. */
  readonly lastSeenMs: ReadonlyMap<PressureKind, number>;
  /** Met for long enough, and not enough reclaimed yet. */
  readonly standing: readonly Threshold[];
  readonly observations: Observations;
}

const NEVER_MET: ReadonlyMap<Threshold, number> = new Map();
const NEVER_SEEN: ReadonlyMap<PressureKind, number> = new Map();
const NOTHING_OBSERVED: ReadonlyMap<Signal, Observation> = new Map();

export const NOTHING_SHORT: EvictionMemory = {
  firstMetMs: NEVER_MET,
  lastSeenMs: NEVER_SEEN,
  standing: [],
  observations: NOTHING_OBSERVED,
};

export interface Decision {
  readonly next: EvictionMemory;
  readonly pressures: readonly PressureKind[];
  /** What pods have to go for, memory first. */
  readonly due: readonly Threshold[];
  /** When a soft threshold is due if it stays met; monotonic milliseconds. */
  readonly wakeAtMs: number;
}

export interface DecideOptions {
  /** Monotonic milliseconds. */
  readonly nowMs: number;
  /** How long a pressure is told after it was last seen. */
  readonly transitionMs: number;
}

/** `thresholds`: the same objects at each call; they are known by identity. */
export function decide(
  seen: {
    readonly thresholds: readonly Threshold[];
    readonly observations: Observations;
  },
  before: EvictionMemory,
  { nowMs, transitionMs }: DecideOptions,
): Decision {
  const { thresholds, observations } = seen;
  const met = thresholds.filter((each) =>
    isMet(each, observations, "threshold") ||
    (before.standing.includes(each) && isMet(each, observations, "reclaim"))
  );
  const firstMetMs = new Map(
    met.map((each) => [each, before.firstMetMs.get(each) ?? nowMs]),
  );
  const lastSeenMs = new Map(before.lastSeenMs);
  for (const { signal } of met) lastSeenMs.set(pressureOf(signal), nowMs);
  const dueAtMs = (each: Threshold) =>
    (firstMetMs.get(each) ?? nowMs) + each.graceMs;
  const standing = met.filter((each) => dueAtMs(each) <= nowMs);
  const coming = met.map(dueAtMs).filter((atMs) => atMs > nowMs);
  return {
    next: { firstMetMs, lastSeenMs, standing, observations },
    pressures: PRESSURES.filter((kind) => {
      const seenMs = lastSeenMs.get(kind);
      return seenMs !== undefined &&
        (seenMs === nowMs || nowMs - seenMs < transitionMs);
    }),
    due: memoryFirst(
      standing.filter(({ signal }) =>
        isNews(observations.get(signal), before.observations.get(signal))
      ),
    ),
    wakeAtMs: Math.min(Infinity, ...coming),
  };
}

/**
 * `reclaim`: measured at what is to be available after something was done.
 * What was not measured is not met.
 */
export function isMet(
  { signal, value, minReclaim }: Threshold,
  observations: Observations,
  against: "threshold" | "reclaim",
): boolean {
  const found = observations.get(signal);
  if (found === undefined) return false;
  const { available, capacity } = found;
  const more = against === "threshold" || minReclaim === undefined
    ? 0n
    : quantityOf(minReclaim, capacity);
  return quantityOf(value, capacity) + more > available * NANO;
}

/** Nobody goes for a number that was acted on already. */
function isNews(
  now: Observation | undefined,
  before: Observation | undefined,
): boolean {
  if (now === undefined) return false;
  return before === undefined || now.atMs > before.atMs;
}

/** Compat: kubelet 1.36 byEvictionPriority; else as configured. */
function memoryFirst(thresholds: readonly Threshold[]): Threshold[] {
  const isMemory = ({ signal }: Threshold) => resourceOf(signal) === "memory";
  return [
    ...thresholds.filter(isMemory),
    ...thresholds.filter((each) => !isMemory(each)),
  ];
}

/** Bytes of memory that are left until the nearest threshold of it is met. */
export function memoryMargin(
  thresholds: readonly Threshold[],
  observations: Observations,
): bigint | undefined {
  const margins = thresholds.flatMap(({ signal, value }) => {
    const found = observations.get(signal);
    if (found === undefined || resourceOf(signal) !== "memory") return [];
    return [found.available - quantityOf(value, found.capacity) / NANO];
  });
  return margins.reduce<bigint | undefined>(
    (least, each) => least === undefined || each < least ? each : least,
    undefined,
  );
}
