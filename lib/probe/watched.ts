/**
 * What the probe runner remembers of each pod: its containers that have
 * probes, the instance that runs, and each probe's state. Written by run.ts
 * only; gone with the agent, since the next one is told the statuses again.
 */
import type { ContainerId, PodUid } from "../api/id.ts";
import { containersOf, sidecarsOf } from "../api/pod.ts";
import type { V1Container, V1Pod, V1Probe } from "../api/types.ts";
import { firstState, type ProbeState } from "./decide.ts";
import type { Timed } from "./timetable.ts";
import type { ProbeKind, ProbeView } from "./types.ts";

/** One pod as the sync loop last saw it. */
export interface ProbedPod {
  readonly uid: PodUid;
  readonly pod: V1Pod;
  /** Empty while nobody knows it. */
  readonly podIp: string;
  /** It is being deleted or stopped. */
  readonly isStopping: boolean;
  /** The newest instance of each container, by name. */
  readonly instances: ReadonlyMap<string, ProbedInstance>;
}

export interface ProbedInstance {
  readonly id: ContainerId;
  readonly isRunning: boolean;
  readonly startedAtMs: number;
  /** What the pod's status said last of this very instance. */
  readonly told:
    | { readonly isStarted: boolean; readonly isReady: boolean }
    | undefined;
}

export interface WatchedPod {
  seen: ProbedPod;
  readonly members: readonly Member[];
}

/** A container with probes. */
export interface Member {
  readonly pod: WatchedPod;
  readonly container: V1Container;
  /** The instance that runs; undefined: none. */
  instance: ProbedInstance | undefined;
  readonly probes: ReadonlyMap<ProbeKind, Probe>;
}

export interface Probe extends Timed {
  readonly member: Member;
  readonly kind: ProbeKind;
  readonly spec: V1Probe;
  readonly periodMs: number;
  /** One of its times, monotonic; the others are whole periods away. */
  anchorMs: number;
  state: ProbeState;
  last: ProbeView["last"];
  /** Asked, or in line for it, until aborted or answered. */
  work: AbortController | undefined;
}

/** Undefined for a pod without probes. */
export function watchedPod(
  seen: ProbedPod,
  anchorMs: (periodMs: number) => number,
): WatchedPod | undefined {
  const members: Member[] = [];
  const pod = { seen, members };
  for (const container of probed(seen.pod)) {
    const probes = new Map<ProbeKind, Probe>();
    const member = { pod, container, instance: undefined, probes };
    for (const [kind, spec] of specsOf(container)) {
      const periodMs = Math.max(1, spec.periodSeconds ?? 10) * 1000;
      probes.set(kind, {
        member,
        kind,
        spec,
        periodMs,
        anchorMs: anchorMs(periodMs),
        state: firstState(kind, undefined),
        last: undefined,
        work: undefined,
        dueMs: undefined,
      });
    }
    if (probes.size > 0) members.push(member);
  }
  return members.length === 0 ? undefined : pod;
}

/** Compat: kubelet 1.36 AddPod: regular containers and sidecars. */
function probed(pod: V1Pod): readonly V1Container[] {
  return [...sidecarsOf(pod), ...containersOf(pod)];
}

function specsOf(container: V1Container): readonly [ProbeKind, V1Probe][] {
  const { startupProbe, readinessProbe, livenessProbe } = container;
  const all: readonly (readonly [ProbeKind, V1Probe | undefined])[] = [
    ["startup", startupProbe],
    ["readiness", readinessProbe],
    ["liveness", livenessProbe],
  ];
  return all.flatMap(([kind, spec]) =>
    spec === undefined ? [] : [[kind, spec]]
  );
}

export function isStarted({ instance, probes }: Member): boolean {
  if (instance === undefined) return false;
  const startup = probes.get("startup");
  return startup === undefined || startup.state.recorded === "success";
}

export function statesOf({ probes }: Member) {
  return new Map([...probes].map(([kind, { state }]) => [kind, state]));
}

export function probesOf({ members }: WatchedPod): readonly Probe[] {
  return members.flatMap(({ probes }) => [...probes.values()]);
}
