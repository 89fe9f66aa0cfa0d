/**
 * The resolver configuration of a pod.
 * Compat: kubelet 1.36 network/dns GetPodDNS and parseResolvConf; options keep
 * their order here, where the kubelet's are in random order.
 */
import { namespaceOf, usesHostNetwork } from "../api/pod.ts";
import type { V1Pod } from "../api/types.ts";
import type { DnsConfig } from "../port/runtime_spec.ts";
import type { PodSettings } from "./facts.ts";

const MOST_SERVERS = 3;
const MOST_SEARCHES = 32;
const MOST_SEARCH_CHARACTERS = 2048;
const LONGEST_SEARCH = 253;

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

/** The pod's configuration, cut to what resolvers bear. */
export function podDns(settings: PodSettings, pod: V1Pod): DnsConfig {
  const base = policyDns(settings, pod);
  const own = pod.spec?.dnsConfig;
  const options = new Map(base.options.map((text) => [nameOf(text), text]));
  for (const { name = "", value } of own?.options ?? []) {
    options.set(name, value ? `${name}:${value}` : name);
  }
  return {
    servers: unique([...base.servers, ...own?.nameservers ?? []])
      .slice(0, MOST_SERVERS),
    searches: fitting(unique([...base.searches, ...own?.searches ?? []])),
    options: [...options.values()],
  };
}

function policyDns(settings: PodSettings, pod: V1Pod): DnsConfig {
  const policy = pod.spec?.dnsPolicy ?? "ClusterFirst";
  if (policy === "None") return { servers: [], searches: [], options: [] };
  const isCluster = policy === "ClusterFirstWithHostNet" ||
    (policy !== "Default" && !usesHostNetwork(pod));
  if (!isCluster || settings.clusterDns.length === 0) return settings.hostDns;
  const domain = settings.clusterDomain;
  const searches = domain === ""
    ? []
    : [`${namespaceOf(pod)}.svc.${domain}`, `svc.${domain}`, domain];
  return {
    servers: settings.clusterDns,
    searches: [...searches, ...settings.hostDns.searches],
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
