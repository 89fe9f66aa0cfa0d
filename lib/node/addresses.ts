/**
 * The addresses the node tells. In this order: `--node-ip`; a node name that
 * is an address; what the resolver says about the name; the interface of the
 * default route. An external cloud controller has the last word.
 * Compat: kubelet 1.36 nodestatus.NodeAddress, validateNodeIP;
 * apimachinery 0.36 ResolveBindAddress.
 */
import type { NetworkFacts } from "../port/machine.ts";
import {
  canonicalIp,
  type Family,
  familyOf,
  isGlobalUnicast,
  isLinkLocal,
  isLoopback,
  isMulticast,
  isUnspecified,
} from "./ip.ts";
import type { NodeAddress } from "./types.ts";

/** Tells a cloud controller which addresses the operator chose. */
export const PROVIDED_IP = "alpha.kubernetes.io/provided-node-ip";

export interface AddressFacts {
  readonly nodeName: string;
  readonly nodeIps: readonly string[];
  readonly isCloudExternal: boolean;
  readonly network: NetworkFacts;
  readonly resolved: readonly string[];
  /** Addresses in the API. */
  readonly known: readonly NodeAddress[];
}

export type Addresses =
  | {
    readonly kind: "found";
    readonly addresses: readonly NodeAddress[];
    /** Value of the annotation; undefined: the node must not have it. */
    readonly provided: string | undefined;
  }
  /** What the node has stays as it is. */
  | { readonly kind: "none"; readonly problem: string };

export function nodeAddresses(facts: AddressFacts): Addresses {
  const [first, second] = facts.nodeIps.map((ip) => canonicalIp(ip) ?? ip);
  const chosen = [first, second].filter((ip) => ip !== undefined)
    .filter((ip) => !isUnspecified(ip));
  for (const ip of chosen) {
    const problem = refusal(ip, facts.network);
    if (problem === undefined) continue;
    const which = ip === first ? "nodeIP" : "secondaryNodeIP";
    return none(`failed to validate ${which}: ${problem}`);
  }
  const provided = facts.isCloudExternal && chosen.length > 0
    ? chosen.join(",")
    : undefined;
  const found = (addresses: readonly NodeAddress[]) =>
    ({ kind: "found", addresses, provided }) as const;
  if (facts.isCloudExternal) {
    if (facts.known.length > 0) return found(facts.known);
    if (first === undefined) return found(withHostname([], facts.nodeName));
  }
  if (chosen.length > 0) return found(withHostname(chosen, facts.nodeName));
  const ip = addressByHost(facts, first);
  if (ip !== undefined) return found(withHostname([ip], facts.nodeName));
  const cause = facts.network.defaultRoutes.length === 0
    ? 'no default routes found in "/proc/net/route" or "/proc/net/ipv6_route"'
    : "unable to select an IP from default routes.";
  return none(
    `can't get ip address of node ${facts.nodeName}. error: ${cause}`,
  );
}

function none(problem: string): Addresses {
  return { kind: "none", problem };
}

/** Why an address cannot be this node's, in upstream's words. */
export function refusal(
  ip: string,
  network: NetworkFacts,
): string | undefined {
  if (canonicalIp(ip) === undefined) return "nodeIP must be a valid IP address";
  if (isLoopback(ip)) return "nodeIP can't be loopback address";
  if (isMulticast(ip)) return "nodeIP can't be a multicast address";
  if (isLinkLocal(ip)) return "nodeIP can't be a link-local unicast address";
  if (isUnspecified(ip)) return "nodeIP can't be an all zeros address";
  const isOurs = network.interfaces.some(({ addresses }) =>
    addresses.some((one) => canonicalIp(one) === ip)
  );
  return isOurs
    ? undefined
    : `node IP: "${ip}" not found in the host's network interfaces`;
}

function withHostname(
  ips: readonly string[],
  nodeName: string,
): readonly NodeAddress[] {
  return [
    ...ips.map((address) => ({ type: "InternalIP", address })),
    { type: "Hostname", address: nodeName },
  ];
}

function addressByHost(
  facts: AddressFacts,
  unspecified: string | undefined,
): string | undefined {
  const byName = canonicalIp(facts.nodeName);
  if (byName !== undefined) return byName;
  const preferred = unspecified === undefined ? "IPv4" : familyOf(unspecified);
  const usable = facts.resolved.map((ip) => canonicalIp(ip) ?? ip)
    .filter((ip) => refusal(ip, facts.network) === undefined);
  const outward = defaultAddress(facts.network, preferred);
  const ofFamily = usable.filter((ip) => familyOf(ip) === preferred);
  const candidates = ofFamily.length > 0 ? ofFamily : usable;
  // The kubelet takes the first. systemd-resolved knows a name's addresses by
  // itself, that of the pods' bridge too, in any order: the node would move.
  return candidates.find((ip) => ip === outward) ?? candidates[0] ?? outward;
}

/** The first global address of the interface that leads out. */
function defaultAddress(
  network: NetworkFacts,
  preferred: Family,
): string | undefined {
  const families: readonly Family[] = preferred === "IPv4"
    ? ["IPv4", "IPv6"]
    : ["IPv6", "IPv4"];
  for (const family of families) {
    for (const route of network.defaultRoutes) {
      if (route.family !== family) continue;
      const { interfaces } = network;
      const out = interfaces.filter(({ name }) => name === route.interfaceName);
      // With routes over link-local addresses (RFC 5549) the loopback
      // interface carries the global one.
      const loopback = interfaces.filter(({ isLoopback }) => isLoopback);
      const ip = [...out, ...loopback].flatMap(({ addresses }) => addresses)
        .map((one) => canonicalIp(one) ?? one)
        .find((one) => familyOf(one) === family && isGlobalUnicast(one));
      if (ip !== undefined) return ip;
    }
  }
  return undefined;
}

/**
 * What pods are told of the node: its first address, and the first one of the
 * other family. Compat: kubelet 1.36 GetNodeHostIPs: internal before external.
 */
export function hostIps(addresses: readonly NodeAddress[]): readonly string[] {
  const of = (wanted: string) =>
    addresses.filter(({ type }) => type === wanted)
      .map(({ address }) => address);
  const found = [...of("InternalIP"), ...of("ExternalIP")];
  const [first] = found;
  if (first === undefined) return [];
  const other = found.find((each) => familyOf(each) !== familyOf(first));
  return other === undefined ? [first] : [first, other];
}
