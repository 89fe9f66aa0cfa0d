/**
 * The conditions of a pod that are ours, with the time of their last change
 * carried over from the previous status.
 * Compat: kubelet 1.36 status/generate.go, updateLastTransitionTime.
 */
import {
  containersOf,
  initContainersOf,
  isSidecar,
  sidecarsOf,
} from "../api/pod.ts";
import type {
  ContainerStatusJson,
  PodConditionJson,
  PodPhase,
} from "../api/status.ts";
import type { V1Pod } from "../api/types.ts";
import { secondsText } from "./container_state.ts";
import { couldRestartAll, RESTARTING_ALL } from "./restart_all.ts";

export const DISRUPTION_TARGET = "DisruptionTarget";
/** Compat: kubelet 1.36 PodReasonTerminationByKubelet. */
const BY_KUBELET = "TerminationByKubelet";

type Verdict = Pick<PodConditionJson, "status" | "reason" | "message">;

const TRUE: Verdict = { status: "True" };

export interface ConditionFacts {
  readonly pod: V1Pod;
  readonly phase: PodPhase;
  /** Of the init and the regular containers. */
  readonly statuses: readonly ContainerStatusJson[];
  /** A usable sandbox with its network exists; undefined: nobody is told. */
  readonly hasSandbox: boolean | undefined;
  /** Why the node took the pod away, at the moment when it has. */
  readonly disruption: { readonly message: string } | undefined;
  /** Its containers are removed, to be started anew. */
  readonly isResetting: boolean;
}

export function conditions(
  facts: ConditionFacts,
  previous: readonly PodConditionJson[],
  nowMs: number,
): PodConditionJson[] {
  const containersReady = containersReadiness(facts);
  const verdicts: (readonly [string, Verdict])[] = [
    ...facts.hasSandbox === undefined ? [] : [
      [
        "PodReadyToStartContainers",
        { status: facts.hasSandbox ? "True" : "False" },
      ] as const,
    ],
    ["Initialized", initialized(facts, previous)],
    ["Ready", readiness(facts, containersReady, previous)],
    ["ContainersReady", containersReady],
    ["PodScheduled", TRUE],
    ...couldRestartAll(facts.pod)
      ? [[RESTARTING_ALL, restartingAll(facts)] as const]
      : [],
  ];
  const own = verdicts.map(([type, verdict]) =>
    condition({ pod: facts.pod, type, verdict }, previous, nowMs)
  );
  const target = disruptionTarget(facts, previous, nowMs);
  return target === undefined ? own : [target, ...own];
}

function condition(
  made: {
    readonly pod: V1Pod;
    readonly type: string;
    readonly verdict: Verdict;
  },
  previous: readonly PodConditionJson[],
  nowMs: number,
): PodConditionJson {
  const { type, verdict, pod } = made;
  const before = find(previous, type);
  return {
    type,
    ...observedGeneration(pod),
    ...verdict,
    lastTransitionTime: before?.status === verdict.status
      ? before.lastTransitionTime
      : secondsText(nowMs),
  };
}

/** Static pods have no generation. */
export function observedGeneration(
  pod: V1Pod,
): { readonly observedGeneration?: number } {
  const { generation = 0 } = pod.metadata ?? {};
  return generation === 0 ? {} : { observedGeneration: generation };
}

/** Once given it stands; one that somebody else gave is not ours to repeat. */
function disruptionTarget(
  { pod, disruption }: ConditionFacts,
  previous: readonly PodConditionJson[],
  nowMs: number,
): PodConditionJson | undefined {
  if (disruption !== undefined) {
    const { message } = disruption;
    const verdict: Verdict = { status: "True", reason: BY_KUBELET, message };
    const made = { pod, type: DISRUPTION_TARGET, verdict };
    return condition(made, previous, nowMs);
  }
  const before = find(previous, DISRUPTION_TARGET);
  if (before?.reason !== BY_KUBELET) return undefined;
  const { status, reason, message, lastTransitionTime } = before;
  const { observedGeneration: seen } = before;
  return {
    type: DISRUPTION_TARGET,
    ...seen === undefined ? {} : { observedGeneration: seen },
    status,
    reason,
    ...message === undefined ? {} : { message },
    lastTransitionTime,
  };
}

/** Compat: kubelet 1.36 GeneratePodInitializedCondition. */
function initialized(
  { pod, phase, statuses }: ConditionFacts,
  previous: readonly PodConditionJson[],
): Verdict {
  const byName = new Map(statuses.map((status) => [status.name, status]));
  const all = initContainersOf(pod);
  const unknown = all.filter(({ name }) => !byName.has(name));
  if (phase === "Succeeded" && unknown.length === 0) {
    return { status: "True", reason: "PodCompleted" };
  }
  const hasBegun = containersOf(pod).some(({ name }) => {
    const { running, terminated } = byName.get(name)?.state ?? {};
    return (running ?? terminated) !== undefined;
  });
  // Once initialised a pod stays so, also when its containers start anew.
  const was = find(previous, "Initialized")?.status === "True";
  if (hasBegun || was) return TRUE;
  const incomplete = all.filter((container) => {
    const status = byName.get(container.name);
    if (status === undefined) return false;
    return isSidecar(container) ? status.started !== true : !status.ready;
  });
  const messages = [
    ...listed("containers with unknown status", namesOf(unknown)),
    ...listed("containers with incomplete status", namesOf(incomplete)),
  ];
  return messages.length === 0
    ? TRUE
    : falseFor("ContainersNotInitialized", messages.join(", "));
}

/** Of the containers that stay: the sidecars and the regular ones. */
function containersReadiness({ pod, phase, statuses }: ConditionFacts) {
  const byName = new Map(statuses.map((status) => [status.name, status]));
  const names = namesOf([
    ...sidecarsOf(pod),
    ...containersOf(pod),
  ]);
  const unknown = names.filter((name) => !byName.has(name));
  const unready = names.filter((name) => byName.get(name)?.ready === false);
  if (phase === "Succeeded" && unknown.length === 0) {
    return falseFor("PodCompleted");
  }
  if (phase === "Failed") return falseFor("PodFailed");
  const messages = [
    ...listed("containers with unknown status", unknown),
    ...listed("containers with unready status", unready),
  ];
  return messages.length === 0
    ? TRUE
    : falseFor("ContainersNotReady", messages.join(", "));
}

/** Compat: kubelet 1.36 GenerateAllContainersRestartingCondition. */
function restartingAll({ phase, isResetting }: ConditionFacts): Verdict {
  if (phase === "Succeeded") return falseFor("PodCompleted");
  if (phase === "Failed") return falseFor("PodFailed");
  return isResetting
    ? {
      status: "True",
      reason: "RestartAllContainersStarted",
      message: "container exited with restart policy rule",
    }
    : { status: "False" };
}

function namesOf(containers: readonly { readonly name: string }[]): string[] {
  return containers.map(({ name }) => name);
}

/** Compat: kubelet 1.36 GeneratePodReadyCondition. */
function readiness(
  { pod }: ConditionFacts,
  containersReady: Verdict,
  previous: readonly PodConditionJson[],
): Verdict {
  if (containersReady.status !== "True") return containersReady;
  const messages = (pod.spec?.readinessGates ?? [])
    .flatMap(({ conditionType }) => {
      const found = find(pod.status?.conditions ?? [], conditionType) ??
        find(previous, conditionType);
      if (found === undefined) {
        return `corresponding condition of pod readiness gate ` +
          `"${conditionType}" does not exist.`;
      }
      return found.status === "True" ? [] : (
        `the status of pod readiness gate "${conditionType}" is not "True", ` +
        `but ${found.status}`
      );
    });
  return messages.length === 0
    ? TRUE
    : falseFor("ReadinessGatesNotReady", messages.join(", "));
}

function find<T extends { readonly type: string }>(
  list: readonly T[],
  type: string,
): T | undefined {
  return list.find((each) => each.type === type);
}

function falseFor(reason: string, message?: string): Verdict {
  return {
    status: "False",
    reason,
    ...message === undefined ? {} : { message },
  };
}

function listed(what: string, names: readonly string[]): string[] {
  return names.length === 0 ? [] : [`${what}: [${names.join(" ")}]`];
}
