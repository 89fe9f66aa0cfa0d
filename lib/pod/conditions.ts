/**
 * The conditions of a pod, with the time of their last change carried over
 * from the previous status. Compat: kubelet 1.36 status/generate.go.
 */
import { containersOf } from "../api/pod.ts";
import type {
  ContainerStatusJson,
  PodConditionJson,
  PodPhase,
} from "../api/status.ts";
import type { V1Pod } from "../api/types.ts";
import { secondsText } from "./container_status.ts";

type Verdict = Pick<PodConditionJson, "status" | "reason" | "message">;

const TRUE: Verdict = { status: "True" };

export interface ConditionFacts {
  readonly pod: V1Pod;
  readonly phase: PodPhase;
  readonly statuses: readonly ContainerStatusJson[];
  /** A usable sandbox with its network exists. */
  readonly hasSandbox: boolean;
}

export function conditions(
  facts: ConditionFacts,
  previous: readonly PodConditionJson[],
  nowMs: number,
): PodConditionJson[] {
  const ready = containersReady(facts);
  const verdicts: [string, Verdict][] = [
    [
      "PodReadyToStartContainers",
      { status: facts.hasSandbox ? "True" : "False" },
    ],
    ["Initialized", initialized(facts)],
    ["Ready", ready],
    ["ContainersReady", ready],
    ["PodScheduled", TRUE],
  ];
  return verdicts.map(([type, verdict]) => {
    const before = previous.find((condition) => condition.type === type);
    return {
      type,
      ...verdict,
      lastTransitionTime: before?.status === verdict.status
        ? before.lastTransitionTime
        : secondsText(nowMs),
    };
  });
}

function initialized({ phase }: ConditionFacts): Verdict {
  return phase === "Succeeded"
    ? { status: "True", reason: "PodCompleted" }
    : TRUE;
}

function containersReady({ pod, phase, statuses }: ConditionFacts): Verdict {
  if (phase === "Failed") return { status: "False", reason: "PodFailed" };
  if (phase === "Succeeded") return { status: "False", reason: "PodCompleted" };
  const unready = containersOf(pod).map(({ name }) => name)
    .filter((name) => !statuses.some((s) => s.name === name && s.ready));
  if (unready.length === 0) return TRUE;
  return {
    status: "False",
    reason: "ContainersNotReady",
    message: `containers with unready status: [${unready.join(" ")}]`,
  };
}
