/**
 * The four conditions of a node, and the events that their changes are worth.
 * Ours alone: a pressure of which nothing can be measured is Unknown.
 * Conditions of others stay as they are; ours keep their place, new ones are
 * appended in the order Memory, Disk, PID, Ready.
 * Compat: kubelet 1.36 nodestatus.ReadyCondition, MemoryPressureCondition,
 * DiskPressureCondition, PIDPressureCondition.
 */
import type { Step } from "../api/step.ts";
import type { NodeCondition, NodeFacts, Pressure } from "./types.ts";

/**
 * How long the runtime may say nothing before the node stops being ready: a
 * restart of the runtime must not take a node's pods out of service.
 * Compat: kubelet 1.36 maxWaitForContainerRuntime.
 */
export const RUNTIME_SILENCE_MS = 30_000;

const READY = "Ready";

interface Verdict {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
}

const PRESSURES = [
  {
    type: "MemoryPressure",
    isShort: (pressure: Pressure) => pressure.isMemoryShort,
    short: {
      reason: "KubeletHasInsufficientMemory",
      message: "kubelet has insufficient memory available",
      event: "NodeHasInsufficientMemory",
    },
    enough: {
      reason: "KubeletHasSufficientMemory",
      message: "kubelet has sufficient memory available",
      event: "NodeHasSufficientMemory",
    },
  },
  {
    type: "DiskPressure",
    isShort: (pressure: Pressure) => pressure.isDiskShort,
    short: {
      reason: "KubeletHasDiskPressure",
      message: "kubelet has disk pressure",
      event: "NodeHasDiskPressure",
    },
    enough: {
      reason: "KubeletHasNoDiskPressure",
      message: "kubelet has no disk pressure",
      event: "NodeHasNoDiskPressure",
    },
  },
  {
    type: "PIDPressure",
    isShort: (pressure: Pressure) => pressure.isPidShort,
    short: {
      reason: "KubeletHasInsufficientPID",
      message: "kubelet has insufficient PID available",
      event: "NodeHasInsufficientPID",
    },
    enough: {
      reason: "KubeletHasSufficientPID",
      message: "kubelet has sufficient PID available",
      event: "NodeHasSufficientPID",
    },
  },
] as const;

export interface ConditionFacts {
  readonly pressure: Pressure;
  /** Why the node is not ready; empty when it is. */
  readonly failures: readonly string[];
  /** What people should know all the same. */
  readonly warnings: readonly string[];
  readonly nowMs: number;
}

/** What the API has, and what we last made of it, sent or not. */
export interface ConditionsBefore {
  readonly known: readonly NodeCondition[];
  readonly pending: readonly NodeCondition[];
}

export function nodeConditions(
  before: ConditionsBefore,
  facts: ConditionFacts,
): readonly NodeCondition[] {
  const verdicts = new Map(
    verdictsOf(facts).map((verdict) => [verdict.type, verdict]),
  );
  const kept = before.known.map((known) => {
    const verdict = verdicts.get(known.type);
    verdicts.delete(known.type);
    return verdict === undefined
      ? known
      : condition(verdict, before, facts.nowMs);
  });
  const added = [...verdicts.values()]
    .map((verdict) => condition(verdict, before, facts.nowMs));
  return [...kept, ...added];
}

/**
 * Events for what changed between two lists of conditions. The first pressure
 * verdicts are told, the first Ready is not.
 */
export function conditionSteps(
  nodeName: string,
  before: readonly NodeCondition[],
  after: readonly NodeCondition[],
): readonly Step[] {
  return after.flatMap((now) => {
    const old = before.find(({ type }) => type === now.type);
    if (old?.status === now.status) return [];
    if (old === undefined && now.type === READY) return [];
    const event = eventOf(now);
    return event === undefined ? [] : [statusStep(nodeName, event)];
  });
}

/**
 * Each condition as it last was: ours, unless somebody changed it after us, as
 * the node controller does with a node that it does not hear from.
 */
export function latest(
  { known, pending }: ConditionsBefore,
): readonly NodeCondition[] {
  const newer = known.map((each) => {
    const ours = pending.find(({ type }) => type === each.type);
    return ours !== undefined && isNotBefore(ours, each) ? ours : each;
  });
  const unsent = pending.filter((ours) =>
    !known.some(({ type }) => type === ours.type)
  );
  return [...newer, ...unsent];
}

/** An event about the state of the node, in upstream's words. */
export function statusStep(nodeName: string, reason: string): Step {
  return {
    type: "Normal",
    reason,
    message: `Node ${nodeName} status is now: ${reason}`,
  };
}

/** Everything that keeps the node from being ready, most important first. */
export function readyFailures(
  facts: NodeFacts,
  missing: readonly string[],
): readonly string[] {
  return [
    ...runtimeFailures(facts),
    ...facts.isShuttingDown ? ["node is shutting down"] : [],
    ...missing.length === 0
      ? []
      : [`missing node capacity for resources: ${missing.join(", ")}`],
  ];
}

/** Compat: kubelet 1.36 runtimeState.runtimeErrors, updateRuntimeUp */
function runtimeFailures({ seen, monotonicMs }: NodeFacts): readonly string[] {
  const { runtimeStatus: status, runtimeSilentSinceMs: silentSinceMs } = seen;
  const silentMs = monotonicMs - (silentSinceMs ?? monotonicMs);
  if (silentMs >= RUNTIME_SILENCE_MS) return ["container runtime is down"];
  if (status === undefined) {
    return ["container runtime status check may not have completed yet"];
  }
  const { runtime, network } = status;
  return [
    ...runtime.isMet ? [] : [
      "container runtime not ready: RuntimeReady=false " +
      `reason:${runtime.reason} message:${runtime.message}`,
    ],
    ...network.isMet ? [] : [
      "container runtime network not ready: NetworkReady=false " +
      `reason:${network.reason} message:${network.message}`,
    ],
  ];
}

/** RFC 3339 without fractions, as metav1.Time is. */
export function secondsText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}

/** Several messages as one. Compat: apimachinery 0.36 aggregate.Error */
export function joined(messages: readonly string[]): string {
  const unique = [...new Set(messages)];
  return unique.length === 1 ? unique[0] ?? "" : `[${unique.join(", ")}]`;
}

function verdictsOf(facts: ConditionFacts): readonly Verdict[] {
  const { pressure } = facts;
  const pressures = PRESSURES.map((row): Verdict => {
    const { type, short, enough } = row;
    const unmeasured = pressure.unmeasured.get(type);
    if (row.isShort(pressure)) return { type, status: "True", ...short };
    if (unmeasured === undefined) return { type, status: "False", ...enough };
    return {
      type,
      status: "Unknown",
      reason: "KubeletCannotMeasure",
      message: `nobody is evicted for it: ${unmeasured}`,
    };
  });
  return [...pressures, readyVerdict(facts)];
}

function readyVerdict({ failures, warnings }: ConditionFacts): Verdict {
  const isReady = failures.length === 0;
  const message = isReady
    ? "kubelet is posting ready status"
    : joined(failures);
  return {
    type: READY,
    status: isReady ? "True" : "False",
    reason: isReady ? "KubeletReady" : "KubeletNotReady",
    message: warnings.length === 0
      ? message
      : `${message}. WARNING: ${joined(warnings)}`,
  };
}

function eventOf({ type, status }: NodeCondition): string | undefined {
  if (type === READY) {
    return status === "True" ? "NodeReady" : "NodeNotReady";
  }
  const row = PRESSURES.find((each) => each.type === type);
  if (status === "Unknown") return undefined;
  return status === "True" ? row?.short.event : row?.enough.event;
}

function condition(
  { type, status, reason, message }: Verdict,
  before: ConditionsBefore,
  nowMs: number,
): NodeCondition {
  const byType = (list: readonly NodeCondition[]) =>
    list.find((each) => each.type === type);
  return {
    type,
    status,
    lastHeartbeatTime: secondsText(nowMs),
    lastTransitionTime: changedAt(
      status,
      { known: byType(before.known), pending: byType(before.pending) },
      nowMs,
    ),
    reason,
    message,
  };
}

/**
 * When the status became what it is. A change that could not be sent keeps its
 * own time, unless somebody else changed the condition after it.
 */
function changedAt(
  status: string,
  before: {
    readonly known: NodeCondition | undefined;
    readonly pending: NodeCondition | undefined;
  },
  nowMs: number,
): string {
  const { known, pending } = before;
  if (known?.status === status) return known.lastTransitionTime;
  const isOurs = pending?.status === status &&
    (known === undefined || isNotBefore(pending, known));
  return isOurs ? pending.lastTransitionTime : secondsText(nowMs);
}

function isNotBefore(one: NodeCondition, other: NodeCondition): boolean {
  return Date.parse(one.lastTransitionTime) >=
    Date.parse(other.lastTransitionTime);
}
