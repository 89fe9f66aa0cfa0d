/**
 * Reading a pod: names, identity, roles of its containers. Pods are plain JSON
 * whose optional parts may be missing; these accessors give every reader the
 * same answer.
 */
import { type PodUid, podUid } from "./id.ts";
import type { V1Container, V1EphemeralContainer, V1Pod } from "./types.ts";

/** `file`, `http` or `api`: where the pod comes from. */
export const CONFIG_SOURCE = "kubernetes.io/config.source";
/** The hash that identifies a static pod; equals its uid. */
export const CONFIG_HASH = "kubernetes.io/config.hash";
/** When the agent first saw this version of a static pod. */
export const CONFIG_SEEN = "kubernetes.io/config.seen";

/** On a mirror pod: the hash of the static pod that it stands for. */
export const CONFIG_MIRROR = "kubernetes.io/config.mirror";

export function uidOf(pod: V1Pod): PodUid {
  return podUid(pod.metadata?.uid ?? "");
}

export function nameOf(pod: V1Pod): string {
  return pod.metadata?.name ?? "";
}

export function namespaceOf(pod: V1Pod): string {
  return pod.metadata?.namespace ?? "default";
}

/**
 * The name under which only one pod may run at a time.
 * Compat: kubelet 1.36 GetPodFullName.
 */
export function fullNameOf(pod: V1Pod): string {
  return `${nameOf(pod)}_${namespaceOf(pod)}`;
}

/** What paths and log links are made of. */
export interface PodName {
  readonly namespace: string;
  readonly name: string;
  readonly uid: PodUid;
}

export function podNameOf(pod: V1Pod): PodName {
  return { namespace: namespaceOf(pod), name: nameOf(pod), uid: uidOf(pod) };
}

/** `namespace/name`, for people. */
export function titleOf(pod: V1Pod): string {
  return `${namespaceOf(pod)}/${nameOf(pod)}`;
}

/**
 * How long the end of a pod is waited for that goes for others' sake.
 * Compat: kubelet 1.36 killPodNow.
 */
export function patienceSeconds(graceSeconds: number): number {
  return Math.max(10, 1.5 * graceSeconds);
}

/** True for pods from a folder or a URL, which the API server does not own. */
export function isStatic(pod: V1Pod): boolean {
  const source = pod.metadata?.annotations?.[CONFIG_SOURCE];
  return source !== undefined && source !== "api";
}

/** True for an object at the API server that stands for a static pod. */
export function isMirror(pod: V1Pod): boolean {
  return pod.metadata?.annotations?.[CONFIG_MIRROR] !== undefined;
}

/** True when the API server was told to delete it; never for a static pod. */
export function isDeleted(pod: V1Pod): boolean {
  return pod.metadata?.deletionTimestamp !== undefined && !isStatic(pod);
}

/** The regular containers, in the order of the spec. */
export function containersOf(pod: V1Pod): readonly V1Container[] {
  return pod.spec?.containers ?? [];
}

/** Those that run before the regular ones, one after the other. */
export function initContainersOf(pod: V1Pod): readonly V1Container[] {
  return pod.spec?.initContainers ?? [];
}

/** Those that somebody added to a pod that runs. */
export function ephemeralContainersOf(
  pod: V1Pod,
): readonly V1EphemeralContainer[] {
  return pod.spec?.ephemeralContainers ?? [];
}

/** The regular and the init containers, init ones first. */
export function plannedContainersOf(pod: V1Pod): readonly V1Container[] {
  return [...initContainersOf(pod), ...containersOf(pod)];
}

/** Every container of the pod. */
export function allContainersOf(pod: V1Pod): readonly V1Container[] {
  return [...plannedContainersOf(pod), ...ephemeralContainersOf(pod)];
}

/** Of an init container: it goes on running beside the regular ones. */
export function isSidecar(container: V1Container): boolean {
  return container.restartPolicy === "Always";
}

/** The init containers that go on running, in the order of the spec. */
export function sidecarsOf(pod: V1Pod): readonly V1Container[] {
  return initContainersOf(pod).filter(isSidecar);
}

/** What a container is to its pod. */
export type ContainerRole = "init" | "sidecar" | "regular" | "ephemeral";

export function usesHostNetwork(pod: V1Pod): boolean {
  return pod.spec?.hostNetwork === true;
}

export type RestartPolicy = "Always" | "OnFailure" | "Never";

/**
 * The policy that holds for one container: its own, or the pod's.
 * Compat: kubelet 1.36 gate ContainerRestartRules (on).
 */
export function restartPolicyOf(
  pod: V1Pod,
  container: V1Container,
): RestartPolicy {
  const policy = container.restartPolicy ?? pod.spec?.restartPolicy;
  return policy === "Never" || policy === "OnFailure" ? policy : "Always";
}
