/**
 * How many dead containers stay, for their logs and exit codes. Pure.
 * Compat: kubelet 1.36 GCPolicy, containerGC.evictContainers.
 */

export interface DeadLimits {
  /** Instances of one container; below 0: any number. */
  readonly perContainer: number;
  /** Of the whole node; below 0: any number. */
  readonly total: number;
  /** None goes for these limits before it is this old. */
  readonly minAgeMs: number;
}

/** Compat: what ends beyond this goes at once; one stays in any case. */
export function keptAtOnce({ perContainer }: DeadLimits): number {
  return Math.max(1, perContainer);
}

interface Dead {
  readonly createdAtMs: number;
}

/** Those that have to go. `units`: the dead instances of each container. */
export function beyondLimits<Each extends Dead>(
  units: readonly (readonly Each[])[],
  { perContainer, total, minAgeMs }: DeadLimits,
  nowMs: number,
): readonly Each[] {
  const old = units.map((unit) =>
    unit.filter(({ createdAtMs }) => nowMs - createdAtMs >= minAgeMs)
      .toSorted(newestFirst)
  ).filter((unit) => unit.length > 0);
  const kept = perContainer < 0 ? old : cut(old, perContainer);
  const left = total < 0 || count(kept) <= total
    ? kept
    // First equally of all, then the oldest of whichever.
    : cut(kept, Math.max(1, Math.floor(total / kept.length)));
  const stay = new Set(
    total < 0 ? left.flat() : left.flat().toSorted(newestFirst).slice(0, total),
  );
  return old.flat().filter((each) => !stay.has(each));
}

function cut<Each>(units: readonly (readonly Each[])[], most: number) {
  return units.map((unit) => unit.slice(0, most))
    .filter((unit) => unit.length > 0);
}

function count(units: readonly (readonly unknown[])[]): number {
  return units.reduce((sum, { length }) => sum + length, 0);
}

function newestFirst(one: Dead, other: Dead): number {
  return other.createdAtMs - one.createdAtMs;
}
