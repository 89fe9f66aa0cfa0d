/**
 * The mirror pod: the object at the API server that shows a static pod to the
 * cluster. What it looks like, and what is to be done about the one there is.
 * Compat: kubelet 1.36 basicMirrorClient, tryReconcileMirrorPods.
 */
import {
  CONFIG_HASH,
  CONFIG_MIRROR,
  fullNameOf,
  isStatic,
  uidOf,
} from "../api/pod.ts";
import type { V1Pod } from "../api/types.ts";

/** The node that owns the mirror pods. */
export interface MirrorOwner {
  readonly name: string;
  readonly uid: string;
}

export type MirrorStep =
  | { readonly kind: "keep" }
  | { readonly kind: "create" }
  /** And then look again. */
  | { readonly kind: "remove"; readonly mirror: V1Pod };

export interface MirrorFacts {
  /** Undefined when no source wants such a static pod. */
  readonly pod: V1Pod | undefined;
  readonly mirror: V1Pod | undefined;
  /** Something of the static pod is still here, or may be. */
  readonly isLeft: boolean;
  /** It has ended for good: a mirror that is gone is not made again. */
  readonly isDone: boolean;
}

export function mirrorStep(facts: MirrorFacts): MirrorStep {
  const { pod, mirror, isLeft, isDone } = facts;
  if (pod === undefined) {
    return mirror === undefined || isLeft
      ? { kind: "keep" }
      : { kind: "remove", mirror };
  }
  if (mirror === undefined) return { kind: isDone ? "keep" : "create" };
  const isOutdated = mirror.metadata?.deletionTimestamp !== undefined ||
    mirror.metadata?.annotations?.[CONFIG_MIRROR] !== hashOf(pod);
  return isOutdated ? { kind: "remove", mirror } : { kind: "keep" };
}

export function mirrorPod(pod: V1Pod, owner: MirrorOwner): V1Pod {
  const { name, namespace, labels, annotations } = pod.metadata ?? {};
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...name === undefined ? {} : { name },
      ...namespace === undefined ? {} : { namespace },
      ...labels === undefined ? {} : { labels },
      annotations: { ...annotations, [CONFIG_MIRROR]: hashOf(pod) },
      ownerReferences: [{
        apiVersion: "v1",
        kind: "Node",
        name: owner.name,
        uid: owner.uid,
        controller: true,
      }],
    },
    ...pod.spec === undefined ? {} : { spec: pod.spec },
  };
}

/**
 * The object at the API server that shows a pod: itself, or its mirror. A
 * mirror of an older pod of the same name tells nothing of this one.
 */
export function shownAs(
  pod: V1Pod,
  mirrors: ReadonlyMap<string, V1Pod>,
): V1Pod | undefined {
  if (!isStatic(pod)) return pod;
  const mirror = mirrors.get(fullNameOf(pod));
  const hash = mirror?.metadata?.annotations?.[CONFIG_MIRROR];
  return hash === hashOf(pod) ? mirror : undefined;
}

function hashOf(pod: V1Pod): string {
  return pod.metadata?.annotations?.[CONFIG_HASH] ?? uidOf(pod);
}
