/**
 * Is there enough of every resource left for one more pod? Amounts are counted
 * in thousandths for cpu and in whole units for everything else, each pod
 * rounded up by itself.
 * Compat: kubelet 1.36 noderesources.Fits, removeMissingExtendedResources.
 */
import { containersOf, initContainersOf } from "../api/pod.ts";
import {
  milliUnits,
  parseQuantity,
  type Quantity,
  units,
} from "../api/quantity.ts";
import { requestsHeldBy, requestsOf } from "../api/requests.ts";
import {
  isClaimableResource,
  isExtendedResource,
  isScalarResource,
} from "../api/resource_name.ts";
import type { V1Container, V1Pod } from "../api/types.ts";

type Allocatable = ReadonlyMap<string, string>;

/** A resource of which the pod asks for more than is left. */
export interface Shortage {
  readonly resource: string;
  readonly requested: bigint;
  readonly used: bigint;
  readonly capacity: bigint;
}

/** The resource of which every pod takes one. */
export const PODS = "pods";
const COMPUTE = ["cpu", "memory", "ephemeral-storage"];

/**
 * Every resource that `others`, the pods that are there, leave too little of.
 * The number of pods comes first, then cpu, memory and ephemeral storage, then
 * the rest in the order in which the pod names them.
 */
export function shortages(
  pod: V1Pod,
  allocatable: Allocatable,
  others: readonly V1Pod[],
): Shortage[] {
  const requests = requestsOf(withoutUnknown(pod, allocatable));
  const held = others.map(requestsHeldBy);
  const scalars = [...requests.keys()].filter((name) =>
    !COMPUTE.includes(name) && isScalarResource(name)
  );
  const asked = [...COMPUTE, ...scalars].map((resource): Shortage => ({
    resource,
    requested: countOf(resource, requests.get(resource)),
    used: held.reduce(
      (sum, each) => sum + countOf(resource, each.get(resource)),
      0n,
    ),
    capacity: capacityOf(allocatable, resource),
  }));
  const slot: Shortage = {
    resource: PODS,
    requested: 1n,
    used: BigInt(others.length),
    capacity: capacityOf(allocatable, PODS),
  };
  return [slot, ...asked].filter((each) =>
    each.requested > 0n && missing(each) > 0n
  );
}

/** How much would have to be freed. */
export function missing({ requested, used, capacity }: Shortage): bigint {
  return requested - (capacity - used);
}

function capacityOf(allocatable: Allocatable, resource: string): bigint {
  const text = allocatable.get(resource);
  return countOf(
    resource,
    text === undefined ? undefined : parseQuantity(text),
  );
}

/** Of cpu in thousandths, else in whole units, rounded up. */
export function countOf(
  resource: string,
  amount: Quantity | undefined,
): bigint {
  if (amount === undefined) return 0n;
  return resource === "cpu" ? milliUnits(amount) : units(amount);
}

/**
 * Resources the node has never heard of belong to the cluster, and those of a
 * claim are counted elsewhere: neither is asked of the node. Compat: the names
 * in the pod's overhead stay.
 */
function withoutUnknown(pod: V1Pod, allocatable: Allocatable): V1Pod {
  const { spec } = pod;
  if (spec === undefined) return pod;
  const claimed = pod.status?.extendedResourceClaimStatus?.requestMappings ??
    [];
  const isAsked = (name: string, container: string) => {
    const isClaimed = isClaimableResource(name) &&
      claimed.some((each) =>
        each.resourceName === name && each.containerName === container
      );
    return !isClaimed && (!isExtendedResource(name) || allocatable.has(name));
  };
  const strip = (container: V1Container): V1Container => {
    const { resources } = container;
    if (resources?.requests === undefined) return container;
    const requests = Object.fromEntries(
      Object.entries(resources.requests)
        .filter(([name]) => isAsked(name, container.name)),
    );
    return { ...container, resources: { ...resources, requests } };
  };
  return {
    ...pod,
    spec: {
      ...spec,
      containers: containersOf(pod).map(strip),
      initContainers: initContainersOf(pod).map(strip),
    },
  };
}
