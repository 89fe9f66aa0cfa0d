/**
 * What is written on sandboxes and containers, and how it is read back: after
 * a restart these labels are the agent's whole memory. The names are the
 * kubelet's, so that crictl, log collectors and a later kubelet read them.
 * Compat: kubelet 1.36 kuberuntime/labels.go.
 */
import { containerHash } from "../api/hash.ts";
import { nameOf, namespaceOf, uidOf } from "../api/pod.ts";
import type {
  V1Container,
  V1ContainerPort,
  V1LifecycleHandler,
  V1Pod,
} from "../api/types.ts";
import { stopRank } from "./stop_rank.ts";

export const POD_NAME = "io.kubernetes.pod.name";
export const POD_NAMESPACE = "io.kubernetes.pod.namespace";
export const POD_UID = "io.kubernetes.pod.uid";
export const CONTAINER_NAME = "io.kubernetes.container.name";

const HASH = "io.kubernetes.container.hash";
const RESTART_COUNT = "io.kubernetes.container.restartCount";
const MESSAGE_PATH = "io.kubernetes.container.terminationMessagePath";
const MESSAGE_POLICY = "io.kubernetes.container.terminationMessagePolicy";
const PRE_STOP = "io.kubernetes.container.preStopHandler";
const PORTS = "io.kubernetes.container.ports";
const TERMINATION_GRACE = "io.kubernetes.pod.terminationGracePeriod";
const DELETION_GRACE = "io.kubernetes.pod.deletionGracePeriod";
/** Ours: the crash delay in milliseconds that this instance has earned. */
const CRASH_DELAY = "io.denolet.container.crashDelayMs";
/** Ours: when its pod ends, it outlives the containers of a smaller rank. */
const STOP_RANK = "io.denolet.container.stopRank";

/** Ours: the resources it was made with, a change of which forgives crashes. */
const RESOURCES = "io.denolet.container.resources";

/** What one instance of a container remembers. */
export interface Remembered {
  readonly hash: string;
  readonly restartCount: number;
  /** Undefined when another agent made the container. */
  readonly crashDelayMs: number | undefined;
  /** As `resourcesText` has it; undefined when another agent made it. */
  readonly resources: string | undefined;
  /** Seconds; undefined when not written. */
  readonly graceSeconds: number | undefined;
  readonly preStop: V1LifecycleHandler | undefined;
  readonly ports: V1ContainerPort[];
  /** Where its process leaves its last words; empty when not written. */
  readonly messagePath: string;
  readonly messagePolicy: string;
}

export function podLabels(pod: V1Pod): Map<string, string> {
  return new Map([
    ...Object.entries(pod.metadata?.labels ?? {}),
    [POD_NAME, nameOf(pod)],
    [POD_NAMESPACE, namespaceOf(pod)],
    [POD_UID, uidOf(pod)],
  ]);
}

export function podAnnotations(pod: V1Pod): Map<string, string> {
  return new Map(Object.entries(pod.metadata?.annotations ?? {}));
}

export function containerLabels(
  pod: V1Pod,
  container: V1Container,
): Map<string, string> {
  return new Map([
    [POD_NAME, nameOf(pod)],
    [POD_NAMESPACE, namespaceOf(pod)],
    [POD_UID, uidOf(pod)],
    [CONTAINER_NAME, container.name],
  ]);
}

export function containerAnnotations(
  pod: V1Pod,
  container: V1Container,
  start: { readonly attempt: number; readonly crashDelayMs: number },
): Map<string, string> {
  const annotations = new Map([
    [HASH, containerHash(container.name, container.image ?? "")],
    [RESTART_COUNT, String(start.attempt)],
    [MESSAGE_PATH, container.terminationMessagePath ?? ""],
    [MESSAGE_POLICY, container.terminationMessagePolicy ?? ""],
    [CRASH_DELAY, String(start.crashDelayMs)],
    [STOP_RANK, String(stopRank(pod, container.name))],
    [RESOURCES, resourcesText(container)],
  ]);
  const deletionGrace = pod.metadata?.deletionGracePeriodSeconds;
  if (deletionGrace !== undefined) {
    annotations.set(DELETION_GRACE, String(deletionGrace));
  }
  const grace = pod.spec?.terminationGracePeriodSeconds;
  if (grace !== undefined) annotations.set(TERMINATION_GRACE, String(grace));
  const preStop = container.lifecycle?.preStop;
  if (preStop !== undefined) annotations.set(PRE_STOP, JSON.stringify(preStop));
  if ((container.ports ?? []).length > 0) {
    annotations.set(PORTS, JSON.stringify(container.ports));
  }
  return annotations;
}

/** The same text for the same resources, in whatever order they are named. */
export function resourcesText({ resources }: V1Container): string {
  const sorted = (list: Readonly<Record<string, string>> | undefined) =>
    Object.entries(list ?? {}).sort(([a], [b]) => a < b ? -1 : 1);
  return JSON.stringify([
    sorted(resources?.requests),
    sorted(resources?.limits),
  ]);
}

/** Reads back what `containerAnnotations` (or the kubelet) wrote. */
export function remembered(
  annotations: ReadonlyMap<string, string>,
): Remembered {
  return {
    hash: annotations.get(HASH) ?? "",
    restartCount: wholeNumber(annotations.get(RESTART_COUNT)) ?? 0,
    crashDelayMs: wholeNumber(annotations.get(CRASH_DELAY)),
    resources: annotations.get(RESOURCES),
    graceSeconds: wholeNumber(annotations.get(DELETION_GRACE)) ??
      wholeNumber(annotations.get(TERMINATION_GRACE)),
    preStop: preStopFrom(annotations.get(PRE_STOP)),
    ports: portsFrom(annotations.get(PORTS)),
    messagePath: annotations.get(MESSAGE_PATH) ?? "",
    messagePolicy: annotations.get(MESSAGE_POLICY) ?? "",
  };
}

/**
 * See `stop_rank.ts`; undefined when another agent made the container. Alone,
 * as each pass asks for it.
 */
export function rememberedRank(
  annotations: ReadonlyMap<string, string>,
): number | undefined {
  return wholeNumber(annotations.get(STOP_RANK));
}

/** What cannot be read is as if it had not been written. */
function preStopFrom(text: string | undefined): V1LifecycleHandler | undefined {
  const found: unknown = parsed(text);
  return typeof found === "object" && found !== null ? found : undefined;
}

function portsFrom(text: string | undefined): V1ContainerPort[] {
  const found: unknown = parsed(text);
  return Array.isArray(found) ? found : [];
}

function parsed(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** A non-negative number; huge ones are cut to what a number holds exactly. */
function wholeNumber(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d+$/.test(text)) return undefined;
  return Math.min(Number(text), Number.MAX_SAFE_INTEGER);
}
