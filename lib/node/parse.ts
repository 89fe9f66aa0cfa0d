/**
 * Reads a Node as the API server sent it. Whatever is missing or of another
 * type is as if it were not there; the object itself is kept for the rest.
 */
import { isObject, objectIn } from "../base/json.ts";
import { versionOf } from "../api/version.ts";
import type { ApiObject } from "../port/cluster.ts";
import type {
  KnownNode,
  NodeAddress,
  NodeCondition,
  NodeTaint,
} from "./types.ts";

export function parseNode(object: ApiObject): KnownNode {
  const metadata = objectIn(object, "metadata");
  const spec = objectIn(object, "spec");
  const status = objectIn(object, "status");
  return {
    uid: textIn(metadata, "uid"),
    resourceVersion: textIn(metadata, "resourceVersion"),
    labels: textsIn(metadata, "labels"),
    annotations: textsIn(metadata, "annotations"),
    podCidrs: listIn(spec, "podCIDRs").filter(isText),
    isUnschedulable: spec["unschedulable"] === true,
    taints: listIn(spec, "taints").filter(isObject).map(taint),
    addresses: listIn(status, "addresses").filter(isObject).map(address),
    conditions: listIn(status, "conditions").filter(isObject).map(condition),
    capacity: textsIn(status, "capacity"),
    allocatable: textsIn(status, "allocatable"),
    bootId: textIn(objectIn(status, "nodeInfo"), "bootID"),
    status,
    object,
  };
}

export function listIn(object: ApiObject, key: string): readonly unknown[] {
  const value = object[key];
  return Array.isArray(value) ? value : [];
}

export function textIn(object: ApiObject, key: string): string {
  const value = object[key];
  return typeof value === "string" ? value : "";
}

/**
 * Whether `next` is news after `last`. Versions of one object grow; those of
 * a server that counts otherwise are taken as they come.
 */
export function isNewer(next: KnownNode, last: KnownNode | undefined): boolean {
  if (last === undefined || last.uid !== next.uid) return true;
  const before = versionOf(last.resourceVersion);
  const after = versionOf(next.resourceVersion);
  return before !== undefined && after !== undefined
    ? after > before
    : next.resourceVersion !== last.resourceVersion;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** Amounts may come as numbers. */
function textsIn(object: ApiObject, key: string): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(objectIn(object, key)).flatMap(([name, value]) =>
      typeof value === "string" || typeof value === "number"
        ? [[name, String(value)]]
        : []
    ),
  );
}

function taint(object: ApiObject): NodeTaint {
  return {
    key: textIn(object, "key"),
    value: textIn(object, "value"),
    effect: textIn(object, "effect"),
  };
}

function address(object: ApiObject): NodeAddress {
  return { type: textIn(object, "type"), address: textIn(object, "address") };
}

function condition(object: ApiObject): NodeCondition {
  return {
    type: textIn(object, "type"),
    status: textIn(object, "status"),
    lastHeartbeatTime: textIn(object, "lastHeartbeatTime"),
    lastTransitionTime: textIn(object, "lastTransitionTime"),
    reason: textIn(object, "reason"),
    message: textIn(object, "message"),
  };
}
