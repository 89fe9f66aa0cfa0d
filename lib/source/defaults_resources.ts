/**
 * Defaults of a pod's own requests, from its limits and its containers.
 * Compat: kubelet 1.36 defaultHugePagePodLimits and defaultPodRequests (gate
 * PodLevelResources, on).
 */
import { parseQuantity, type Quantity } from "../api/quantity.ts";
import { isPodLevelResource } from "../api/resource_name.ts";
import type { V1Container, V1PodSpec } from "../api/types.ts";

type Amounts = Map<
  string,
  { readonly amount: Quantity; readonly text: string }
>;
type Side = "requests" | "limits";

const PIECES_PER_UNIT = 1_000_000_000n;
const HUGE_PAGES = "hugepages-";

export function defaultPodResources(spec: V1PodSpec): V1PodSpec {
  const given = spec.resources;
  if (given === undefined) return spec;
  const limits = ownMap(given.limits);
  const isPartly = given.limits !== undefined || given.requests !== undefined;
  for (const [name, { text }] of isPartly ? sum(spec, "limits") : []) {
    if (!name.startsWith(HUGE_PAGES) || name in limits) continue;
    if (given.requests?.[name] === undefined) limits[name] = text;
  }
  if (Object.keys(limits).length === 0) return spec;
  const requests = ownMap(given.requests);
  for (const [name, { text }] of sum(spec, "requests")) {
    const isShared = name === "cpu" || name === "memory";
    if (isShared && !(name in requests)) requests[name] = text;
  }
  for (const [name, text] of Object.entries(limits)) {
    if (isPodLevelResource(name) && !(name in requests)) requests[name] = text;
  }
  return { ...spec, resources: { ...given, limits, requests } };
}

/**
 * What all containers take together: the regular ones and the sidecars at
 * once, or more, if one init container alone takes more.
 */
export function sum(spec: V1PodSpec, side: Side): Amounts {
  const running: Amounts = new Map();
  for (const each of spec.containers) add(running, amounts(each, side));
  const sidecars: Amounts = new Map();
  const peak: Amounts = new Map();
  for (const each of spec.initContainers ?? []) {
    const own = amounts(each, side);
    if (each.restartPolicy === "Always") {
      add(running, own);
      add(sidecars, own);
      raise(peak, sidecars);
    } else {
      const together = new Map(own);
      add(together, sidecars);
      raise(peak, together);
    }
  }
  raise(running, peak);
  return running;
}

function amounts(container: V1Container, side: Side): Amounts {
  const found: Amounts = new Map();
  for (
    const [name, text] of Object.entries(container.resources?.[side] ?? {})
  ) {
    const amount = parseQuantity(text);
    if (amount !== undefined) found.set(name, { amount, text });
  }
  return found;
}

function add(total: Amounts, more: Amounts): void {
  for (const [name, each] of more) {
    const before = total.get(name);
    if (before === undefined) total.set(name, each);
    else {
      const amount = before.amount + each.amount;
      total.set(name, { amount, text: written(amount) });
    }
  }
}

function raise(total: Amounts, other: Amounts): void {
  for (const [name, each] of other) {
    if ((total.get(name)?.amount ?? -1n) < each.amount) total.set(name, each);
  }
}

/** Whole units, or else thousandths; finer amounts are rounded up. */
function written(amount: Quantity): string {
  if (amount % PIECES_PER_UNIT === 0n) return String(amount / PIECES_PER_UNIT);
  const perMilli = PIECES_PER_UNIT / 1000n;
  return `${(amount + perMilli - 1n) / perMilli}m`;
}

/** A copy that keeps every key a plain key. */
function ownMap(map: Readonly<Record<string, string>> | undefined) {
  const own: Record<string, string> = Object.create(null);
  return Object.assign(own, map);
}
