/**
 * What a whole pod asks for, as its status says it.
 * Compat: kubelet 1.36 gate InPlacePodLevelResourcesVerticalScaling (on),
 * PodRequests, PodLimits. The kubelet reads some of it back from the cgroups of
 * a running pod, rounded by them; here it is always what was asked for.
 */
import { sumText } from "../api/quantity_text.ts";
import { containersOf } from "../api/pod.ts";
import { isPodLevelResource } from "../api/resource_name.ts";
import type { Amounts, PodStatusJson } from "../api/status.ts";
import type { V1Pod } from "../api/types.ts";
import { amounts, isEmpty, resourcesOf } from "./container_resources.ts";

export function podResources(
  pod: V1Pod,
): Pick<PodStatusJson, "allocatedResources" | "resources"> {
  const overhead = amounts(pod.spec?.overhead);
  const whole = pod.spec?.resources;
  const asked = {
    ...sum(
      containersOf(pod).map(({ resources }) => amounts(resources?.requests)),
    ),
    // What is given for the pod as a whole stands in place of the sum.
    ...podLevel(amounts(whole?.requests)),
  };
  const requests = sum([asked, overhead]);
  const limits = {
    ...sum(
      containersOf(pod).map(({ resources }) => amounts(resources?.limits)),
    ),
    ...podLevel(amounts(whole?.limits)),
  };
  // Overhead is no limit of its own: it widens those that there are.
  const widened = Object.fromEntries(
    Object.entries(limits)
      .map(([name, text]) => [name, sumText(text, overhead[name] ?? "0")]),
  );
  return {
    ...isEmpty(requests) ? {} : { allocatedResources: requests },
    resources: resourcesOf(requests, widened),
  };
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
