/** Shared by the tests of this folder: pods with what they take. */
import { type Signal, SIGNALS } from "../api/eviction_signal.ts";
import { uidOf } from "../api/pod.ts";
import type { V1Pod } from "../api/types.ts";
import { aContainer, aPod } from "../../tests/build.ts";
import type { Observation, PodUse, Threshold } from "./types.ts";

export const MI = 1024n * 1024n;

/** A hard threshold of 100 units, unless it is said otherwise. */
export function aThreshold(own: Partial<Threshold> = {}): Threshold {
  return {
    signal: "memory.available",
    value: { kind: "quantity", quantity: 100n * 10n ** 9n, form: "decimal" },
    graceMs: 0,
    ...own,
  };
}

export function observed(
  available: bigint,
  atMs = 1_000,
  capacity = 1_000n,
): Observation {
  return { available, capacity, atMs };
}

export function seen(
  list: Partial<Record<Signal, Observation>>,
): ReadonlyMap<Signal, Observation> {
  return new Map(SIGNALS.flatMap((signal) => {
    const found = list[signal];
    return found === undefined ? [] : [[signal, found] as const];
  }));
}

export interface UseParts extends Partial<Omit<PodUse, "pod" | "uid">> {
  readonly name: string;
  readonly request?: string;
  readonly priority?: number;
  readonly pod?: V1Pod;
}

export function aUsePod(parts: UseParts): PodUse {
  const { name, request, priority, ...own } = parts;
  const resources = request === undefined
    ? {}
    : { requests: { memory: request, "ephemeral-storage": request } };
  const pod = own.pod ?? aPod({
    name,
    uid: name,
    namespace: "default",
    containers: [aContainer({ name: "app", resources })],
    spec: priority === undefined ? {} : { priority },
  });
  return {
    uid: uidOf(pod),
    memoryBytes: undefined,
    processes: undefined,
    containers: [],
    volumes: new Map(),
    hostsBytes: 0n,
    ...own,
    pod,
  };
}
