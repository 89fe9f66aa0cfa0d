/**
 * The files in which allocations outlive the agent, as text. Pure; called by
 * `sync/allocations.ts`.
 * Compat: kubelet 1.36 state.Checkpoint, checksum.New: a kubelet that takes
 * over reads `allocated_pods_state` and `actuated_pods_state`.
 */
import { fnv32a } from "../api/hash.ts";
import { type PodUid, podUid } from "../api/id.ts";
import type { V1ResourceRequirements } from "../api/types.ts";
import type { Allocation } from "./allocation.ts";

export type Allocations = ReadonlyMap<PodUid, Allocation>;

/** What was written, or why it cannot be believed. */
export type Restored =
  | { readonly kind: "ok"; readonly entries: Map<PodUid, Allocation> }
  | { readonly kind: "broken"; readonly message: string };

export function allocationsText(entries: Allocations): string {
  const data = JSON.stringify({
    entries: sorted([...entries].map(([uid, { containers, pod }]) => [uid, {
      ContainerResources: sorted(
        [...containers].map(([name, given]) => [name, plain(given)]),
      ),
      PodLevelResources: pod === undefined ? null : plain(pod),
    }])),
  });
  return JSON.stringify({ data, checksum: checksumOf(data) });
}

export function parseAllocations(text: string): Restored {
  const [whole, fault] = parsed(text);
  if (fault !== undefined) return broken(fault);
  const data = memberOf(whole, "data");
  const checksum = memberOf(whole, "checksum");
  if (typeof data !== "string") return broken("data must be a text");
  if (checksum !== checksumOf(data)) {
    return broken(`checksum must be ${checksumOf(data)}, not ${checksum}`);
  }
  const [held, inner] = parsed(data);
  if (inner !== undefined) return broken(inner);
  return {
    kind: "ok",
    entries: new Map(
      membersOf(memberOf(held, "entries"))
        .map(([uid, each]) => [podUid(uid), allocationFrom(each)]),
    ),
  };
}

function allocationFrom(found: unknown): Allocation {
  const whole = memberOf(found, "PodLevelResources");
  return {
    containers: new Map(
      membersOf(memberOf(found, "ContainerResources"))
        .map(([name, given]) => [name, resourcesFrom(given)]),
    ),
    ...isObject(whole) ? { pod: resourcesFrom(whole) } : {},
  };
}

function resourcesFrom(found: unknown): V1ResourceRequirements {
  const limits = amountsFrom(memberOf(found, "limits"));
  const requests = amountsFrom(memberOf(found, "requests"));
  return {
    ...limits === undefined ? {} : { limits },
    ...requests === undefined ? {} : { requests },
  };
}

function amountsFrom(found: unknown): Record<string, string> | undefined {
  if (!isObject(found)) return undefined;
  return Object.fromEntries(
    membersOf(found).map(([name, text]) => [name, String(text)]),
  );
}

/** In the order of Go's fields. */
function plain({ limits, requests }: V1ResourceRequirements) {
  return {
    ...limits && Object.keys(limits).length > 0
      ? { limits: sorted(Object.entries(limits)) }
      : {},
    ...requests && Object.keys(requests).length > 0
      ? { requests: sorted(Object.entries(requests)) }
      : {},
  };
}

/** Go writes the keys of maps in order. */
function sorted<T>(entries: readonly (readonly [string, T])[]) {
  return Object.fromEntries(
    [...entries].sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0),
  );
}

/** Compat: kubelet 1.36 DeepHashObject of a Go string. */
function checksumOf(data: string): number {
  return fnv32a(`(string)${data}`);
}

function parsed(text: string): readonly [unknown, string | undefined] {
  try {
    return [JSON.parse(text), undefined];
  } catch (error) {
    if (error instanceof SyntaxError) return [undefined, error.message];
    throw error;
  }
}

function broken(message: string): Restored {
  return { kind: "broken", message };
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function membersOf(value: unknown): [string, unknown][] {
  return isObject(value) ? Object.entries(value) : [];
}

function memberOf(value: unknown, name: string): unknown {
  return membersOf(value).find(([key]) => key === name)?.[1];
}
