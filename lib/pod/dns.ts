/**
 * The resolver configuration of a pod.
 * Compat: kubelet 1.36 network/dns GetPodDNS and parseResolvConf; options keep
 * their order here, where the kubelet's are in random order.
 */
import { fullNameOf, namespaceOf, uidOf, usesHostNetwork } from "../api/pod.ts";
import type { V1Pod } from "../api/types.ts";
import type { DnsConfig } from "../port/runtime_spec.ts";
import type { PodSettings } from "./facts.ts";

const MOST_SERVERS = 3;
const MOST_SEARCHES = 32;
const MOST_SEARCH_CHARACTERS = 2048;
const LONGEST_SEARCH = 253;
const NO_CLUSTER_DNS = "kubelet does not have ClusterDNS IP configured and " +
  'cannot create Pod using "ClusterFirst" policy. Falling back to "Default" ' +
  "policy.";
/** What the cluster's own searches take of the room. */
const OWN_SEARCHES = 3;
const NOTHING: DnsConfig = { servers: [], searches: [], options: [] };
/** Without a resolver of the host: the node is asked, and nothing appended. */
const NODE_ITSELF: DnsConfig = {
  servers: ["127.0.0.1"],
  searches: ["."],
  options: [],
};

/** What a host's resolv.conf says; the last `search` and option win. */
export function parseResolvConf(text: string): DnsConfig {
  const servers: string[] = [];
  let searches: string[] = [];
  const options = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [keyword, ...words] = line.trim().split(/\s+/);
    const [first] = words;
    if (keyword === "nameserver" && first !== undefined) servers.push(first);
    if (keyword === "search") {
      searches = words.filter((word) => word !== ".")
        .map((word) => word.replace(/\.$/, ""));
    }
    if (keyword === "options") {
      for (const word of words) options.set(word.split(":")[0] ?? "", word);
    }
  }
  return { servers, searches, options: [...options.values()] };
}

/** What a pod is told of its resolver that it may not expect. */
export interface DnsWarning {
  readonly reason: "DNSConfigForming" | "MissingClusterDNS";
  readonly message: string;
  /** The same, as the node is told to have it. */
  readonly ofNode?: string;
}

/** The pod's configuration, cut to what resolvers bear. */
export function podDns(settings: PodSettings, pod: V1Pod): DnsConfig {
  const { servers, searches, options } = wantedDns(settings, pod);
  return {
    servers: servers.slice(0, MOST_SERVERS),
    searches: fitting(searches),
    options,
  };
}

/** What was cut, and what could not be had; said when a sandbox is made. */
export function dnsWarnings(settings: PodSettings, pod: V1Pod): DnsWarning[] {
  const wanted = wantedDns(settings, pod);
  const { servers, searches } = podDns(settings, pod);
  const warnings: DnsWarning[] = [];
  if (isClusterPolicy(pod) && settings.clusterDns.length === 0) {
    warnings.push({
      reason: "MissingClusterDNS",
      message: `pod: "${fullNameOf(pod)}(${uidOf(pod)})". ${NO_CLUSTER_DNS}`,
      ofNode: NO_CLUSTER_DNS,
    });
  }
  if (servers.length < wanted.servers.length) {
    warnings.push({
      reason: "DNSConfigForming",
      message: "Nameserver limits were exceeded, some nameservers have been " +
        `omitted, the applied nameserver line is: ${servers.join(" ")}`,
    });
  }
  if (searches.length < wanted.searches.length) {
    warnings.push({
      reason: "DNSConfigForming",
      message:
        "Search Line limits were exceeded, some search paths have been " +
        `omitted, the applied search line is: ${searches.join(" ")}`,
    });
  }
  return warnings;
}

/**
 * What of the host's resolv.conf its pods cannot have; undefined: nothing.
 * Compat: kubelet 1.36 CheckLimitsForResolvConf, in its words.
 */
export function resolverFault(
  path: string,
  { searches }: DnsConfig,
  clusterDomain: string,
): string | undefined {
  const most = MOST_SEARCHES - (clusterDomain === "" ? 0 : OWN_SEARCHES);
  if (searches.length > most) {
    return `Resolv.conf file '${path}' contains search line consisting of ` +
      `more than ${most} domains!`;
  }
  if (searches.some((search) => search.length > LONGEST_SEARCH)) {
    return `Resolv.conf file "${path}" contains a search path which length ` +
      `is more than allowed ${LONGEST_SEARCH} chars!`;
  }
  if (searches.join(" ").length > MOST_SEARCH_CHARACTERS) {
    return `Resolv.conf file '${path}' contains search line which length is ` +
      `more than allowed ${MOST_SEARCH_CHARACTERS} chars!`;
  }
  return undefined;
}

function wantedDns(settings: PodSettings, pod: V1Pod): DnsConfig {
  const base = policyDns(settings, pod);
  const own = pod.spec?.dnsConfig;
  // Compat: upstream drops doubles only where the pod has words of its own.
  if (own === undefined || own === null) return base;
  const options = new Map(base.options.map((text) => [nameOf(text), text]));
  for (const { name = "", value } of own.options ?? []) {
    options.set(name, value ? `${name}:${value}` : name);
  }
  return {
    servers: unique([...base.servers, ...own.nameservers ?? []]),
    searches: unique([...base.searches, ...own.searches ?? []]),
    options: [...options.values()],
  };
}

/** A policy that nobody knows is the default one. */
function isClusterPolicy(pod: V1Pod): boolean {
  const policy = pod.spec?.dnsPolicy ?? "ClusterFirst";
  if (policy === "None" || policy === "Default") return false;
  return policy !== "ClusterFirst" || !usesHostNetwork(pod);
}

function policyDns(settings: PodSettings, pod: V1Pod): DnsConfig {
  if (pod.spec?.dnsPolicy === "None") return NOTHING;
  const { hostDns, clusterDns, clusterDomain: domain } = settings;
  if (!isClusterPolicy(pod) || clusterDns.length === 0) {
    return settings.resolvConf === "" ? NODE_ITSELF : hostDns;
  }
  const searches = domain === ""
    ? []
    : [`${namespaceOf(pod)}.svc.${domain}`, `svc.${domain}`, domain];
  return {
    servers: clusterDns,
    searches: domain === ""
      ? hostDns.searches
      : unique([...searches, ...hostDns.searches]),
    options: ["ndots:5"],
  };
}

function fitting(searches: readonly string[]): string[] {
  const kept = searches.slice(0, MOST_SEARCHES)
    .filter((search) => search.length <= LONGEST_SEARCH);
  while (kept.join(" ").length > MOST_SEARCH_CHARACTERS) kept.pop();
  return kept;
}

function nameOf(option: string): string {
  return option.split(":")[0] ?? "";
}

function unique(words: readonly string[]): string[] {
  return [...new Set(words)];
}
