/**
 * What a whole pod asks for, as its status says it.
 * Compat: kubelet 1.36 gate InPlacePodLevelResourcesVerticalScaling (on),
 * PodRequests, PodLimits. The kubelet reads some of it back from the cgroups of
 * a running pod, rounded by them; here it is always what was asked for.
 */
import { sumText } from "../api/quantity_text.ts";
import { containersOf, initContainersOf, isSidecar } from "../api/pod.ts";
import { parseQuantity } from "../api/quantity.ts";
import type { Amounts, PodStatusJson } from "../api/status.ts";
import type { V1Container, V1Pod } from "../api/types.ts";
import { amounts, isEmpty, resourcesOf } from "./container_resources.ts";

export function podResources(
  pod: V1Pod,
): Pick<PodStatusJson, "allocatedResources" | "resources"> {
  const overhead = amounts(pod.spec?.overhead);
  const requests = sum([
    together(pod, ({ resources }) => amounts(resources?.requests)),
    overhead,
  ]);
  const limits = together(pod, ({ resources }) => amounts(resources?.limits));
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

function sum(lists: readonly Amounts[]): Amounts {
  const total: Record<string, string> = {};
  for (const list of lists) {
    for (const [name, text] of Object.entries(list)) {
      total[name] = sumText(total[name] ?? "0", text);
    }
  }
  return total;
}

/**
 * Init containers run one after the other, each beside the sidecars before it;
 * the regular ones run at once, beside all sidecars.
 */
function together(pod: V1Pod, of: (container: V1Container) => Amounts) {
  let sidecars: Amounts = {};
  let peak: Amounts = {};
  for (const container of initContainersOf(pod)) {
    const step = sum([sidecars, of(container)]);
    if (isSidecar(container)) sidecars = step;
    peak = most(peak, step);
  }
  const running = sum([...containersOf(pod).map(of), sidecars]);
  return most(running, peak);
}

function most(one: Amounts, other: Amounts): Amounts {
  const found: Record<string, string> = { ...one };
  for (const [name, text] of Object.entries(other)) {
    const before = parseQuantity(found[name] ?? "");
    const now = parseQuantity(text);
    const isMore = before === undefined || (now !== undefined && now > before);
    if (isMore) found[name] = text;
  }
  return found;
}
