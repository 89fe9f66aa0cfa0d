/**
 * What a pod as a whole takes of each resource: its containers together, or
 * more while it initialises, or what is given for the pod; and its overhead.
 * Read by admission and eviction.
 * Compat: kubelet 1.36 PodRequests, AggregateContainerRequests; gates
 * PodLevelResources and InPlacePodLevelResourcesVerticalScaling (on).
 */
import { isSidecar } from "./pod.ts";
import { parseQuantity, type Quantity } from "./quantity.ts";
import { isPodLevelResource } from "./resource_name.ts";
import type { V1Container, V1ContainerStatus, V1Pod } from "./types.ts";

/** Amounts by the name of the resource. */
export type Amounts = ReadonlyMap<string, Quantity>;

type Tally = Map<string, Quantity>;
type Written = Readonly<Record<string, string>> | undefined;

/** What a container and a pod's own requests count for. */
interface View {
  ofContainer(container: V1Container): Amounts;
  ofInitContainer(container: V1Container): Amounts;
  ofPod(): Amounts;
}

/** What the pod asks for, by its spec. */
export function requestsOf(pod: V1Pod): Amounts {
  return total(pod, bySpec(pod));
}

/** What the pod asks for besides its overhead. */
export function ownRequestsOf(pod: V1Pod): Amounts {
  return withoutOverhead(pod, bySpec(pod));
}

function bySpec(pod: V1Pod): View {
  const ofContainer = ({ resources }: V1Container) =>
    amounts(resources?.requests);
  return {
    ofContainer,
    ofInitContainer: ofContainer,
    ofPod: () => amounts(pod.spec?.resources?.requests),
  };
}

/** What the containers ask for together, whatever is given for the pod. */
export function containerRequestsOf(pod: V1Pod): Amounts {
  return together(pod, bySpec(pod));
}

/**
 * What the pod may take by its spec, without its overhead: what its containers
 * may, or what is given for the pod. A container without a limit counts 0.
 * Compat: kubelet 1.36 PodLimits with ExcludeOverhead.
 */
export function limitsOf(pod: V1Pod): Amounts {
  const ofContainer = ({ resources }: V1Container) =>
    amounts(resources?.limits);
  return withoutOverhead(pod, {
    ofContainer,
    ofInitContainer: ofContainer,
    ofPod: () => amounts(pod.spec?.resources?.limits),
  });
}

/**
 * What an admitted pod holds: the most of what it asks for and of what its
 * status says it has, which differ while it is being resized.
 */
export function requestsHeldBy(pod: V1Pod): Amounts {
  const { status } = pod;
  const statuses = new Map(
    [...status?.containerStatuses ?? [], ...status?.initContainerStatuses ?? []]
      .map((each) => [each.name, each]),
  );
  const ofContainer = (container: V1Container) =>
    heldBy(pod, container, statuses.get(container.name));
  return total(pod, {
    ofContainer,
    ofInitContainer: (container) =>
      isSidecar(container)
        ? ofContainer(container)
        : amounts(container.resources?.requests),
    ofPod: () => {
      const asked = pod.spec?.resources?.requests;
      if (status?.resources === undefined) return amounts(asked);
      const has = [status.resources.requests, status.allocatedResources];
      const most = greatest(isResizeInfeasible(pod) ? has : [asked, ...has]);
      const named = Object.keys(asked ?? {});
      return new Map(named.map((name) => [name, most.get(name) ?? 0n]));
    },
  });
}

function heldBy(
  pod: V1Pod,
  container: V1Container,
  status: V1ContainerStatus | undefined,
): Amounts {
  const asked = container.resources?.requests;
  if (status?.resources === undefined) return amounts(asked);
  const has = [status.resources.requests, status.allocatedResources];
  return greatest(isResizeInfeasible(pod) ? has : [asked, ...has]);
}

function total(pod: V1Pod, view: View): Amounts {
  const sum = withoutOverhead(pod, view);
  add(sum, amounts(pod.spec?.overhead));
  return sum;
}

function withoutOverhead(pod: V1Pod, view: View): Tally {
  const sum = together(pod, view);
  for (const [name, amount] of view.ofPod()) {
    if (isPodLevelResource(name)) sum.set(name, amount);
  }
  return sum;
}

/**
 * Init containers run one after the other, each beside the sidecars before it;
 * the regular ones run at once, beside all sidecars.
 */
function together(pod: V1Pod, view: View): Tally {
  const running: Tally = new Map();
  for (const each of pod.spec?.containers ?? []) {
    add(running, view.ofContainer(each));
  }
  const sidecars: Tally = new Map();
  const peak: Tally = new Map();
  for (const each of pod.spec?.initContainers ?? []) {
    const own = view.ofInitContainer(each);
    if (isSidecar(each)) {
      add(running, own);
      add(sidecars, own);
      raise(peak, sidecars);
    } else {
      const step = new Map(own);
      add(step, sidecars);
      raise(peak, step);
    }
  }
  raise(running, peak);
  return running;
}

/** Compat: kubelet 1.36 IsPodResizeInfeasible. */
function isResizeInfeasible(pod: V1Pod): boolean {
  const pending = pod.status?.conditions?.find(({ type }) =>
    type === "PodResizePending"
  );
  return pending?.reason === "Infeasible";
}

function greatest(lists: readonly Written[]): Amounts {
  const most: Tally = new Map();
  for (const list of lists) raise(most, amounts(list));
  return most;
}

/** A text that is no quantity counts as absent. */
function amounts(list: Written): Amounts {
  const found: Tally = new Map();
  for (const [name, text] of Object.entries(list ?? {})) {
    const amount = parseQuantity(text);
    if (amount !== undefined) found.set(name, amount);
  }
  return found;
}

function add(sum: Tally, more: Amounts): void {
  for (const [name, amount] of more) {
    sum.set(name, (sum.get(name) ?? 0n) + amount);
  }
}

function raise(most: Tally, other: Amounts): void {
  for (const [name, amount] of other) {
    const before = most.get(name);
    if (before === undefined || amount > before) most.set(name, amount);
  }
}
