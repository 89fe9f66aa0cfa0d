/**
 * The smallest strategic merge patch from a Node as known to a Node as it
 * should be. A patch is always good for a heartbeat; `change` is what it says
 * beyond that.
 * Compat: kubelet 1.36 nodeStatusHasChanged, PatchNodeStatus.
 */
import { isObject, objectIn } from "../base/json.ts";
import type { ApiObject } from "../port/cluster.ts";
import { isSameAmount } from "./amount.ts";
import { listIn } from "./parse.ts";
import type { NodeProjection } from "./project.ts";
import type { KnownNode, NodeCondition, NodeStatusJson } from "./types.ts";

export interface NodePatch {
  readonly body: ApiObject;
  /** What changes besides heartbeat times, as a text; empty: nothing. */
  readonly change: string;
}

export function nodePatch(
  known: KnownNode,
  { status, labels, annotations }: NodeProjection,
): NodePatch {
  const fields = statusFields(known, status);
  const metadata = {
    ...isEmpty(labels) ? {} : { labels },
    ...isEmpty(annotations) ? {} : { annotations },
  };
  const conditions = conditionPatches(known.conditions, status.conditions);
  return {
    body: {
      ...isEmpty(metadata) ? {} : { metadata },
      status: { ...fields, ...conditions.body },
    },
    change: isEmpty(fields) && isEmpty(metadata) && isEmpty(conditions.changes)
      ? ""
      : JSON.stringify([metadata, fields, conditions.changes]),
  };
}

function statusFields(known: KnownNode, status: NodeStatusJson): ApiObject {
  const before = known.status;
  const objects = [
    ["daemonEndpoints", status.daemonEndpoints],
    ["features", status.features],
    ["nodeInfo", status.nodeInfo],
  ] as const;
  const lists = [
    ["declaredFeatures", status.declaredFeatures],
    ["images", status.images],
    ["runtimeHandlers", status.runtimeHandlers],
  ] as const;
  return {
    ...addressField(known, status),
    ...fieldOf("capacity", amounts(known.capacity, status.capacity)),
    ...fieldOf("allocatable", amounts(known.allocatable, status.allocatable)),
    ...Object.assign(
      {},
      ...objects.map(([name, after]) =>
        after === undefined
          ? {}
          : fieldOf(name, difference(objectIn(before, name), after))
      ),
      ...lists.map(([name, after]) => listField(before, name, after)),
    ),
  };
}

/**
 * Two addresses may be of one type, although the type is the merge key of the
 * list: only replacing it as a whole is safe.
 */
function addressField(known: KnownNode, status: NodeStatusJson): ApiObject {
  return isSame(known.addresses, status.addresses)
    ? {}
    : { addresses: [...status.addresses, { $patch: "replace" }] };
}

/** A list without merge key is sent whole, an empty one taken away. */
function listField(
  before: ApiObject,
  name: string,
  after: readonly unknown[] | undefined,
): ApiObject {
  if (after === undefined || isSame(listIn(before, name), after)) return {};
  return { [name]: after.length === 0 ? null : after };
}

function fieldOf(name: string, patch: ApiObject): ApiObject {
  return isEmpty(patch) ? {} : { [name]: patch };
}

function amounts(
  before: ReadonlyMap<string, string>,
  after: Readonly<Record<string, string>>,
): ApiObject {
  const changed = Object.entries(after)
    .filter(([name, text]) => !isSameAmount(before.get(name), text));
  const gone = [...before.keys()].filter((name) => after[name] === undefined);
  return Object.fromEntries([
    ...changed,
    ...gone.map((name) => [name, null] as const),
  ]);
}

/** Conditions merge by type; heartbeats go along with every patch. */
function conditionPatches(
  before: readonly NodeCondition[],
  after: readonly NodeCondition[],
): { readonly body: ApiObject; readonly changes: ApiObject } {
  const changes: { [type: string]: unknown } = {};
  const patches = after.flatMap((now): ApiObject[] => {
    const known = before.find(({ type }) => type === now.type);
    const { lastHeartbeatTime, ...rest } = difference(
      { ...known },
      { ...now },
    );
    if (!isEmpty(rest)) changes[now.type] = rest;
    if (lastHeartbeatTime === undefined && isEmpty(rest)) return [];
    const heartbeat = lastHeartbeatTime === undefined
      ? {}
      : { lastHeartbeatTime };
    return [{ ...rest, type: now.type, ...heartbeat }];
  });
  const order = after.map(({ type }) => ({ type }));
  return {
    body: {
      ...after.length > before.length
        ? { "$setElementOrder/conditions": order }
        : {},
      ...patches.length === 0 ? {} : { conditions: patches },
    },
    changes,
  };
}

/** What to merge into `before` to make it `after`; null removes. */
function difference(before: ApiObject, after: ApiObject): ApiObject {
  const patch: { [key: string]: unknown } = {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [old, now] = [before[key], after[key]];
    if (isSame(old, now)) continue;
    patch[key] = isObject(old) && isObject(now)
      ? difference(old, now)
      : now ?? null;
  }
  return patch;
}

/**
 * Deep equality of JSON. Nothing, null and an empty list are one: the API
 * server writes each as another of them.
 */
function isSame(one: unknown, other: unknown): boolean {
  if (Object.is(one, other) || isNothing(one) && isNothing(other)) return true;
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length &&
      one.every((each, at) => isSame(each, other[at]));
  }
  if (!isObject(one) || !isObject(other)) return false;
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...keys].every((key) => isSame(one[key], other[key]));
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null ||
    Array.isArray(value) && value.length === 0;
}

function isEmpty(object: object): boolean {
  return Object.keys(object).length === 0;
}
