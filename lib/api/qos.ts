/**
 * Quality-of-service class of a pod; gate PodLevelResources (on).
 * Compat: kubelet 1.36 ComputePodQOS.
 */
import { parseQuantity, type Quantity } from "./quantity.ts";
import type { V1Container, V1Pod } from "./types.ts";

export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";

const COMPUTE = ["cpu", "memory"];

/** A positive amount of one resource, or undefined. */
export function amountOf(
  list: Readonly<Record<string, string>> | undefined,
  resource: string,
): Quantity | undefined {
  const text = list?.[resource];
  const parsed = text === undefined ? undefined : parseQuantity(text);
  return parsed !== undefined && parsed > 0n ? parsed : undefined;
}

/** One voice about how much of a resource there is, and its limit. */
interface Claim {
  readonly limit: Quantity | undefined;
  readonly request: Quantity | undefined;
  /** A request of nothing is a word of its own, not a missing one. */
  readonly isDefaulted: boolean;
}

/**
 * The class of a pod: from what is given for it as a whole, else from the cpu
 * and memory of all its containers.
 */
export function qosClass(pod: V1Pod): QosClass {
  const whole = pod.spec?.resources;
  const claims = whole === undefined || whole === null
    ? [
      ...pod.spec?.containers ?? [],
      ...pod.spec?.initContainers ?? [],
    ].flatMap(({ resources }) => claimsOf(resources))
    : claimsOf(whole);
  if (claims.every((c) => c.limit === undefined && c.request === undefined)) {
    return "BestEffort";
  }
  const isGuaranteed = claims.every((c) =>
    c.limit !== undefined &&
    (c.request === c.limit || (c.request === undefined && c.isDefaulted))
  );
  return isGuaranteed ? "Guaranteed" : "Burstable";
}

function claimsOf(
  resources: V1Container["resources"],
): Claim[] {
  return COMPUTE.map((resource) => ({
    limit: amountOf(resources?.limits, resource),
    request: amountOf(resources?.requests, resource),
    isDefaulted: resources?.requests?.[resource] === undefined,
  }));
}
