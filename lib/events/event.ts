/**
 * Builds v1 Events as the kubelet writes them: whom they are about, who says
 * so, what they are called. Pure.
 * Compat: client-go 0.36 recorderImpl.makeEvent, GenerateEventName;
 * kubelet 1.36 GenerateContainerRef.
 */
import { nameOf, namespaceOf } from "../api/pod.ts";
import type { Step } from "../api/step.ts";
import type { V1Container, V1PersistentVolume, V1Pod } from "../api/types.ts";
import type { ApiObject } from "../port/cluster.ts";

const COMPONENT = "kubelet";
const LONGEST_NAME = 253;

/** Whom an event is about: `involvedObject` as it is sent. */
export interface Target {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly fieldPath?: string;
}

/** One event as it is sent. Times are RFC 3339 in whole seconds. */
export interface EventJson {
  readonly apiVersion: "v1";
  readonly kind: "Event";
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly involvedObject: Target;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly source: { readonly component: string; readonly host: string };
  readonly reportingComponent: string;
  readonly reportingInstance: string;
  readonly firstTimestamp: string;
  readonly lastTimestamp: string;
  readonly count: number;
}

/** What an event is made of, besides who tells it. */
export interface EventFacts {
  readonly target: Target;
  readonly step: Step;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly nowMs: number;
  /** Nanoseconds since the epoch; another for each event. */
  readonly nanos: bigint;
}

/**
 * A pod, or one of its containers. Of a static pod it is the static pod's uid,
 * not the mirror pod's.
 */
export function podTarget(pod: V1Pod, container?: string): Target {
  const { uid, resourceVersion } = pod.metadata ?? {};
  return {
    apiVersion: "v1",
    kind: "Pod",
    name: nameOf(pod),
    namespace: namespaceOf(pod),
    ...uid === undefined ? {} : { uid },
    ...resourceVersion === undefined ? {} : { resourceVersion },
    ...container === undefined
      ? {}
      : { fieldPath: containerPath(pod, container) },
  };
}

/**
 * The node itself; events about it are kept in namespace `default`.
 * Compat: kubelet 1.36 leaves the uid empty.
 */
export function nodeTarget(nodeName: string): Target {
  return { apiVersion: "v1", kind: "Node", name: nodeName };
}

/** Of a volume that outlives pods; kept in namespace `default` too. */
export function volumeTarget({ metadata }: V1PersistentVolume): Target {
  const { name = "", uid, resourceVersion } = metadata ?? {};
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    name,
    ...uid === undefined ? {} : { uid },
    ...resourceVersion === undefined ? {} : { resourceVersion },
  };
}

/** Compat: kubelet 1.36 fieldPath, ImplicitContainerPrefix */
export function containerPath(pod: V1Pod, name: string): string {
  const { spec } = pod;
  const lists: readonly (readonly [string, readonly Named[] | undefined])[] = [
    ["containers", spec?.containers],
    ["initContainers", spec?.initContainers],
    ["ephemeralContainers", spec?.ephemeralContainers],
  ];
  const list = lists.find(([, found]) =>
    found?.some((container) => container.name === name)
  );
  return list === undefined
    ? `implicitly required container ${name}`
    : `spec.${list[0]}{${name}}`;
}

type Named = Pick<V1Container, "name">;

/**
 * Puts a container's name where the runtime spoke of its id, so that the same
 * trouble of another instance is the same event.
 * Compat: kubelet 1.36 recordContainerEvent.
 */
export function namedNotIds(
  message: string,
  names: ReadonlyMap<string, string>,
): string {
  return [...names].reduce(
    (text, [id, name]) => id === "" ? text : text.replaceAll(id, name),
    message,
  );
}

export function makeEvent(facts: EventFacts, host: string): EventJson {
  const { target, step, annotations, nowMs } = facts;
  const at = timeText(nowMs);
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: {
      name: eventName(target.name, facts.nanos),
      namespace: target.namespace ?? "default",
      ...annotations === undefined ? {} : { annotations },
    },
    involvedObject: target,
    type: step.type,
    reason: step.reason,
    message: step.message,
    source: { component: COMPONENT, host },
    reportingComponent: COMPONENT,
    reportingInstance: host,
    firstTimestamp: at,
    lastTimestamp: at,
    count: 1,
  };
}

/** `<object>.<hex time>`; a name that would be too long is cut. */
export function eventName(object: string, nanos: bigint): string {
  const time = nanos.toString(16);
  const room = LONGEST_NAME - 1 - time.length;
  const kept = object.slice(0, room).replace(/(?<![-.])[-.]+$/, "");
  return `${kept}.${time}`;
}

/** What raises the count of an event that is stored already. */
export function countPatch(event: EventJson): ApiObject {
  const { count, lastTimestamp, message } = event;
  return { count, lastTimestamp, message };
}

/** An event as the general object that the port takes. */
export function asObject(event: EventJson): ApiObject {
  return { ...event };
}

export function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
