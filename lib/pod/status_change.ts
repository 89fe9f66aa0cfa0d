/**
 * What is to be written so that the API server holds a projected status: only
 * what differs. Null, an empty list and an empty object are as good as nothing;
 * what others wrote into the status is never looked at.
 * Compat: kubelet 1.36 isPodStatusByKubeletEqual, mergePodStatus.
 */
import type {
  PodConditionChange,
  PodConditionJson,
  PodStatusChange,
  PodStatusJson,
} from "../api/status.ts";

/** Ours alone: one that is not projected is taken away. */
const OWN_CONDITIONS = [
  "PodReadyToStartContainers",
  "Initialized",
  "Ready",
  "ContainersReady",
  "PodScheduled",
  "AllContainersRestarting",
  "PodResizePending",
  "PodResizeInProgress",
];
const CONDITION_FIELDS = ["observedGeneration", "reason", "message"] as const;

/** Every field of ours but the conditions. */
type Field = Exclude<keyof PodStatusJson, "conditions">;
const FIELDS: Readonly<Record<Field, true>> = {
  observedGeneration: true,
  phase: true,
  reason: true,
  message: true,
  hostIP: true,
  hostIPs: true,
  podIP: true,
  podIPs: true,
  startTime: true,
  qosClass: true,
  containerStatuses: true,
  initContainerStatuses: true,
  ephemeralContainerStatuses: true,
  allocatedResources: true,
  resources: true,
};

/** `stored`: the status of the pod as the API server gave it. */
export function unchanged(
  stored: object | undefined,
  projected: PodStatusJson,
): boolean {
  return statusChange(stored, projected) === undefined;
}

/** Undefined when the server holds it already. */
export function statusChange(
  stored: object | undefined,
  projected: PodStatusJson,
): PodStatusChange | undefined {
  const held = membersOf(stored);
  const wanted = membersOf(projected);
  const fields = Object.keys(FIELDS)
    .filter((key) => !isSame(held.get(key), wanted.get(key)))
    .map((key) => [key, fieldChange(held.get(key), wanted.get(key))] as const);
  const heldConditions = conditionsOf(held.get("conditions"));
  const conditions = projected.conditions
    .flatMap((own) => conditionChange(heldConditions.get(own.type), own));
  const conditionsGone = OWN_CONDITIONS.filter((type) =>
    heldConditions.has(type) &&
    projected.conditions.every((own) => own.type !== type)
  );
  const change: PodStatusChange = {
    ...Object.fromEntries(fields),
    ...conditions.length === 0 ? {} : { conditions },
    ...conditionsGone.length === 0 ? {} : { conditionsGone },
  };
  return Object.keys(change).length === 0 ? undefined : change;
}

/**
 * The status with the server's times where both say the same: of a static pod
 * they are known only once its mirror is, which may be after the first look.
 */
export function withTimesOf(
  stored: PodStatusJson | undefined,
  projected: PodStatusJson,
): PodStatusJson {
  if (stored === undefined) return projected;
  const startTime = stored.startTime ?? projected.startTime;
  return {
    ...projected,
    ...startTime === undefined ? {} : { startTime },
    conditions: projected.conditions.map((own) => {
      const held = stored.conditions.find(({ type }) => type === own.type);
      const { lastTransitionTime } = held?.status === own.status ? held : own;
      return { ...own, lastTransitionTime };
    }),
  };
}

type Members = ReadonlyMap<string, unknown>;

/** Maps are merged by the server: what is in them no more is named too. */
function fieldChange(held: unknown, wanted: unknown): unknown {
  if (!isMap(held) || !isMap(wanted)) return wanted ?? null;
  const [before, after] = [membersOf(held), membersOf(wanted)];
  const keys = [...new Set([...before.keys(), ...after.keys()])];
  return Object.fromEntries(
    keys.filter((key) => !isSame(before.get(key), after.get(key)))
      .map((key) => [key, fieldChange(before.get(key), after.get(key))]),
  );
}

function isMap(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function conditionChange(
  held: Members | undefined,
  own: PodConditionJson,
): PodConditionChange[] {
  if (held === undefined) return [own];
  const wanted = membersOf(own);
  const keys = ["status", "lastTransitionTime", ...CONDITION_FIELDS];
  if (keys.every((key) => isSame(held.get(key), wanted.get(key)))) return [];
  const gone = CONDITION_FIELDS.filter((key) =>
    isThere(held.get(key)) && !isThere(wanted.get(key))
  );
  return [{ ...own, ...Object.fromEntries(gone.map((key) => [key, null])) }];
}

function conditionsOf(list: unknown): ReadonlyMap<string, Members> {
  if (!Array.isArray(list)) return new Map();
  const conditions = list.map((each: unknown) => membersOf(each));
  return new Map(
    conditions.map((members) => [String(members.get("type")), members]),
  );
}

/** Equal as far as the API server can tell. */
function isSame(first: unknown, second: unknown): boolean {
  if (!isThere(first) || !isThere(second)) {
    return isThere(first) === isThere(second);
  }
  if (Array.isArray(first) && Array.isArray(second)) {
    return first.length === second.length &&
      first.every((each, index) => isSame(each, second[index]));
  }
  if (typeof first !== "object" || typeof second !== "object") {
    return first === second;
  }
  const [a, b] = [membersOf(first), membersOf(second)];
  return [...new Set([...a.keys(), ...b.keys()])]
    .every((key) => isSame(a.get(key), b.get(key)));
}

function isThere(value: unknown): boolean {
  if (value === undefined || value === null || value === "") return false;
  return typeof value !== "object" || Object.keys(value).length > 0;
}

function membersOf(value: unknown): Members {
  return typeof value === "object" && value !== null
    ? new Map<string, unknown>(Object.entries(value))
    : new Map();
}
