/**
 * Who goes when, as the machine goes down, and with how much time: groups of
 * pods from the lowest priority up, each with a time of its own. Pure.
 * Compat: kubelet 1.36 nodeshutdown podManager, migrateConfig, groupByPriority.
 */
import type { PodUid } from "../api/id.ts";
import { uidOf } from "../api/pod.ts";
import { CRITICAL_PRIORITY } from "../api/priority.ts";
import type { V1Pod } from "../api/types.ts";
import type { ShutdownGroup } from "./types.ts";

/** Compat: scheduling.DefaultPriorityWhenNoDefaultClassExists. */
const DEFAULT_PRIORITY = 0;
/** No grace is below this: containers may hear of their end. */
const SHORTEST_SECONDS = 1;

export interface ShutdownConfig {
  /** Milliseconds; 0: pods are left to the machine. */
  readonly shutdownGracePeriod: number;
  readonly shutdownGracePeriodCriticalPods: number;
  readonly shutdownGracePeriodByPodPriority: readonly {
    readonly priority: number;
    readonly shutdownGracePeriodSeconds: number;
  }[];
}

export interface ShutdownGates {
  readonly GracefulNodeShutdown?: boolean;
  readonly GracefulNodeShutdownBasedOnPodPriority?: boolean;
}

/** One group's turn; those without pods have none. */
export interface ShutdownTurn extends ShutdownGroup {
  readonly pods: readonly {
    readonly uid: PodUid;
    readonly graceSeconds: number;
  }[];
}

/** Lowest priority first; empty: nothing is done at a shutdown. */
export function shutdownGroups(
  config: ShutdownConfig,
  gates: ShutdownGates,
): readonly ShutdownGroup[] {
  if (gates.GracefulNodeShutdown !== true) return [];
  const classes = gates.GracefulNodeShutdownBasedOnPodPriority === true
    ? config.shutdownGracePeriodByPodPriority
    : [];
  if (classes.length === 0) return twoGroups(config);
  return classes.map(({ priority, shutdownGracePeriodSeconds: seconds }) => ({
    priority,
    seconds,
  })).sort((one, other) => one.priority - other.priority);
}

/** The older configuration: critical pods go last, and what they get is kept. */
function twoGroups(
  { shutdownGracePeriod: wholeMs, shutdownGracePeriodCriticalPods: lastMs }:
    ShutdownConfig,
): readonly ShutdownGroup[] {
  if (wholeMs === 0 || lastMs > wholeMs) return [];
  return [
    {
      priority: DEFAULT_PRIORITY,
      seconds: Math.trunc((wholeMs - lastMs) / 1000),
    },
    { priority: CRITICAL_PRIORITY, seconds: Math.trunc(lastMs / 1000) },
  ];
}

/** How long the machine has to wait for all of it, seconds. */
export function wholeSeconds(groups: readonly ShutdownGroup[]): number {
  return groups.reduce((sum, { seconds }) => sum + seconds, 0);
}

/** The turns in their order; every pod is in exactly one of them. */
export function shutdownTurns(
  groups: readonly ShutdownGroup[],
  pods: readonly V1Pod[],
): readonly ShutdownTurn[] {
  const members = groups.map((): V1Pod[] => []);
  for (const pod of pods) {
    members[groupIndex(groups, pod.spec?.priority ?? DEFAULT_PRIORITY)]
      ?.push(pod);
  }
  return groups.flatMap((group, index) => {
    const own = members[index] ?? [];
    return own.length === 0 ? [] : [{
      ...group,
      pods: own.map((pod) => ({
        uid: uidOf(pod),
        graceSeconds: graceSeconds(pod, group),
      })),
    }];
  });
}

/** The highest group not above the priority; below all: the lowest. */
function groupIndex(
  groups: readonly ShutdownGroup[],
  priority: number,
): number {
  const at = groups.findIndex((group) => group.priority >= priority);
  if (at < 0) return groups.length - 1;
  const isBetween = at > 0 && groups[at]?.priority !== priority;
  return isBetween ? at - 1 : at;
}

/** The pod's own grace, unless the group has less. */
function graceSeconds({ spec }: V1Pod, { seconds }: ShutdownGroup): number {
  const own = spec?.terminationGracePeriodSeconds ?? seconds;
  return Math.max(SHORTEST_SECONDS, Math.min(own, seconds));
}
