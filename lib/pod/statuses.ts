/**
 * The statuses of all containers of a pod, in three lists as the API server
 * keeps them, and what of them may not be told. Called by status.ts.
 * Compat: kubelet 1.36 convertStatusToAPIStatus, TerminatePod.
 */
import {
  type ContainerRole,
  containersOf,
  ephemeralContainersOf,
  initContainersOf,
  isSidecar,
  isStatic,
  plannedContainersOf,
  sidecarsOf,
} from "../api/pod.ts";
import type { ContainerStatusJson, PodStatusJson } from "../api/status.ts";
import type { V1Container, V1Pod } from "../api/types.ts";
import { lostState } from "./container_state.ts";
import { containerStatus } from "./container_status.ts";
import type { Facts } from "./facts.ts";
import type { Plan } from "./plan.ts";
import { mayRestart } from "./restart.ts";
import { couldRestartAll } from "./restart_all.ts";

export interface StatusLists {
  /** By name. */
  readonly regular: readonly ContainerStatusJson[];
  /** In the order of the spec. */
  readonly init: readonly ContainerStatusJson[];
  /** By name. */
  readonly ephemeral: readonly ContainerStatusJson[];
}

interface Place {
  readonly facts: Facts;
  readonly plan: Plan;
  readonly pod: V1Pod;
}

export function statusesOf(
  at: Place,
  previous: PodStatusJson | undefined,
  { isEnded }: { readonly isEnded: boolean },
): StatusLists {
  const { pod } = at;
  const regular = byName(listOf(at, containersOf(pod), {
    roleOf: () => "regular",
    before: previous?.containerStatuses,
  }));
  const init = listOf(at, initContainersOf(pod), {
    roleOf: (container) => isSidecar(container) ? "sidecar" : "init",
    before: previous?.initContainerStatuses,
  });
  const ephemeral = byName(listOf(at, ephemeralContainersOf(pod), {
    roleOf: () => "ephemeral",
    before: previous?.ephemeralContainerStatuses,
  }));
  if (!isEnded || isStatic(pod)) return { regular, init, ephemeral };
  // What has no end by now has none to tell.
  return {
    regular: hasInitialized(pod, regular, init) ? regular.map(lost) : regular,
    init: init.map((each, index) =>
      index < begunCount(init) ? lost(each) : each
    ),
    ephemeral,
  };
}

function listOf(
  { facts, plan, pod }: Place,
  containers: readonly V1Container[],
  how: {
    readonly roleOf: (container: V1Container) => ContainerRole;
    readonly before: readonly ContainerStatusJson[] | undefined;
  },
): ContainerStatusJson[] {
  const before = new Map(how.before?.map((each) => [each.name, each]));
  return containers.map((container) => {
    const { name } = container;
    const reason = plan.waiting.get(name);
    const place = { pod, container, role: how.roleOf(container), reason };
    return containerStatus(facts, place, before.get(name));
  });
}

function byName(list: readonly ContainerStatusJson[]): ContainerStatusJson[] {
  return [...list].sort((a, b) =>
    a.name < b.name ? -1 : a.name > b.name ? 1 : 0
  );
}

function lost(status: ContainerStatusJson): ContainerStatusJson {
  return status.state.terminated !== undefined ? status : {
    ...status,
    state: lostState("terminated"),
    ready: false,
    started: false,
  };
}

/** Compat: kubelet 1.36 hasPodInitialized. */
function hasInitialized(
  pod: V1Pod,
  regular: readonly ContainerStatusJson[],
  init: readonly ContainerStatusJson[],
): boolean {
  const container = initContainersOf(pod).at(-1);
  const last = init.at(-1);
  if (container === undefined || last === undefined) return true;
  const hasRun = regular.some(({ state, lastState }) =>
    lastState.terminated !== undefined || state.waiting === undefined
  );
  if (hasRun) return true;
  return isSidecar(container)
    ? last.state.running !== undefined && last.started === true
    : [last.state, last.lastState].some(({ terminated }) =>
      terminated?.exitCode === 0
    );
}

/**
 * How many of them were begun, the first one at least.
 * Compat: kubelet 1.36 initializedContainers.
 */
function begunCount(init: readonly ContainerStatusJson[]): number {
  const last = init.findLastIndex(({ state, lastState }) =>
    state.waiting === undefined || lastState.terminated !== undefined
  );
  return Math.max(1, last + 1);
}

/**
 * A container that has ended for good runs again: such a status is not told.
 * Compat: kubelet 1.36 checkContainerStateTransition.
 */
export function isIllegal(
  pod: V1Pod,
  previous: PodStatusJson,
  statuses: readonly ContainerStatusJson[],
): boolean {
  const isAlways = (pod.spec?.restartPolicy ?? "Always") === "Always";
  if (isAlways || couldRestartAll(pod)) return false;
  const before = new Map(
    [
      ...previous.initContainerStatuses ?? [],
      ...previous.containerStatuses ?? [],
    ].map((each) => [each.name, each.state.terminated]),
  );
  const now = new Map(statuses.map((each) => [each.name, each]));
  const sidecars = new Set(sidecarsOf(pod));
  return plannedContainersOf(pod).some((container) => {
    const ended = before.get(container.name);
    return ended !== undefined && ended !== null && !sidecars.has(container) &&
      !mayRestart(pod, container, ended.exitCode) &&
      now.get(container.name)?.state.terminated === undefined;
  });
}
