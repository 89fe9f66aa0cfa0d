/**
 * The addresses in a pod's status: its own, and those of its node.
 * Compat: kubelet 1.36 generateAPIPodStatus, sortPodIPs, getPodIPs.
 */
import { usesHostNetwork } from "../api/pod.ts";
import type { PodStatusJson } from "../api/status.ts";
import type { Step } from "../api/step.ts";
import type { V1Pod } from "../api/types.ts";
import { currentSandbox, type Facts } from "./facts.ts";

type Addresses = Pick<
  PodStatusJson,
  "hostIP" | "hostIPs" | "podIP" | "podIPs"
>;

export function addresses(
  facts: Facts,
  pod: V1Pod,
  previous: PodStatusJson | undefined,
): Addresses {
  const hostIps = facts.hostIps.length > 0
    ? facts.hostIps.slice(0, 2)
    : previous?.hostIPs?.map(({ ip }) => ip) ?? [];
  const before = previous?.podIPs?.map(({ ip }) => ip) ?? [];
  const podIps = usesHostNetwork(pod)
    ? hostNetworkIps(hostIps, before)
    : ownIps(facts, before);
  const [hostIP] = hostIps;
  const [podIP] = podIps;
  return {
    ...hostIP === undefined ? {} : { hostIP, hostIPs: hostIps.map(entry) },
    ...podIP === undefined ? {} : { podIP, podIPs: podIps.map(entry) },
  };
}

/** The node's address is of another family than before: pods may not bear it. */
export function familySteps(
  before: Pick<PodStatusJson, "hostIP"> | undefined,
  { hostIP: now }: Pick<PodStatusJson, "hostIP">,
): Step[] {
  const old = before?.hostIP;
  if (old === undefined || now === undefined) return [];
  if (familyOf(old) === familyOf(now)) return [];
  return [{
    type: "Warning",
    reason: "HostIPsIPFamilyMismatch",
    message: `Kubelet detected an IPv${familyOf(old)} node IP (${old}), but ` +
      `the cloud provider selected an IPv${familyOf(now)} node IP (${now}); ` +
      "pass an explicit `--node-ip` to kubelet to fix this.",
  }];
}

function familyOf(ip: string): 4 | 6 {
  return ip.includes(":") ? 6 : 4;
}

/** Once given they stay; the second may come later. */
function hostNetworkIps(
  hostIps: readonly string[],
  before: readonly string[],
): readonly string[] {
  const given = before.length > 0 ? before : hostIps.slice(0, 1);
  const [first, second] = given;
  const other = hostIps[1];
  const isWhole = first === undefined || second !== undefined ||
    other === undefined || isIpv6(first) === isIpv6(other);
  return isWhole ? given : [first, other];
}

function ownIps(facts: Facts, before: readonly string[]): readonly string[] {
  const { observed, hostIps } = facts;
  const known = currentSandbox(observed)?.ips ?? [];
  if (known.length > 0) return inOrder(known, hostIps);
  // Compat: kubelet 1.36 keeps the addresses of a pod that has ended.
  const isAlive = observed.sandboxes.some(({ isReady }) => isReady) ||
    observed.containers.some(({ state }) =>
      state === "running" || state === "created"
    );
  return isAlive ? [] : before;
}

/** One of each family, the node's own family first. */
function inOrder(
  ips: readonly string[],
  hostIps: readonly string[],
): readonly string[] {
  const isFirst = hostIps[0] !== undefined && isIpv6(hostIps[0]);
  const first = ips.find((ip) => isIpv6(ip) === isFirst);
  const second = ips.find((ip) => isIpv6(ip) !== isFirst);
  return [first, second].filter((ip) => ip !== undefined);
}

function isIpv6(ip: string): boolean {
  return ip.includes(":");
}

function entry(ip: string): { readonly ip: string } {
  return { ip };
}
