/**
 * What a whole pod was given, and what of it has been set, as its status says
 * it.
 * Compat: kubelet 1.36 gate InPlacePodLevelResourcesVerticalScaling (on),
 * PodRequests, PodLimits. The kubelet reads some of it back from the cgroups of
 * a running pod, rounded by them; here it is what was written to them.
 */
import { sumText } from "../api/quantity_text.ts";
import { containersOf, initContainersOf, isSidecar } from "../api/pod.ts";
import { parseQuantity } from "../api/quantity.ts";
import { isPodLevelResource } from "../api/resource_name.ts";
import type { Amounts, PodStatusJson } from "../api/status.ts";
import type { V1Container, V1Pod } from "../api/types.ts";
import { amounts, isEmpty, resourcesOf } from "./container_resources.ts";

/** `set`: the pod with what its containers and its cgroup have. */
export function podResources(
  pod: V1Pod,
  set: V1Pod = pod,
): Pick<PodStatusJson, "allocatedResources" | "resources"> {
  const given = requestsOf(pod);
  const has = set === pod ? given : requestsOf(set);
  return {
    ...isEmpty(given) ? {} : { allocatedResources: given },
    resources: resourcesOf(has, limitsOf(set)),
  };
}

function requestsOf(pod: V1Pod): Amounts {
  return sum([wholeOf(pod, "requests"), amounts(pod.spec?.overhead)]);
}

/** Overhead is no limit of its own: it widens those that there are. */
function limitsOf(pod: V1Pod): Amounts {
  const overhead = amounts(pod.spec?.overhead);
  return Object.fromEntries(
    Object.entries(wholeOf(pod, "limits"))
      .map(([name, text]) => [name, sumText(text, overhead[name] ?? "0")]),
  );
}

/** What is given for the pod as a whole stands in place of the sum. */
function wholeOf(pod: V1Pod, list: "requests" | "limits"): Amounts {
  return {
    ...together(pod, list),
    ...podLevel(amounts(pod.spec?.resources?.[list])),
  };
}

/** Init containers run one after the other, each beside the sidecars before. */
function together(pod: V1Pod, list: "requests" | "limits"): Amounts {
  const of = ({ resources }: V1Container) => amounts(resources?.[list]);
  let sidecars: Amounts = {};
  let peak: Amounts = {};
  for (const each of initContainersOf(pod)) {
    const beside = sum([sidecars, of(each)]);
    if (isSidecar(each)) sidecars = beside;
    peak = most(peak, beside);
  }
  return most(sum([...containersOf(pod).map(of), sidecars]), peak);
}

function most(one: Amounts, other: Amounts): Amounts {
  const more = Object.entries(other).filter(([name, text]) =>
    (parseQuantity(text) ?? 0n) > (parseQuantity(one[name] ?? "") ?? -1n)
  );
  return { ...one, ...Object.fromEntries(more) };
}

function podLevel(list: Amounts): Amounts {
  return Object.fromEntries(
    Object.entries(list).filter(([name]) => isPodLevelResource(name)),
  );
}

function sum(lists: readonly Amounts[]): Amounts {
  const total: Record<string, string> = {};
  for (const list of lists) {
    for (const [name, text] of Object.entries(list)) {
      total[name] = sumText(total[name] ?? "0", text);
    }
  }
  return total;
}
