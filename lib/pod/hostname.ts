/**
 * What a pod calls itself: its short name, the domain of its subdomain, and
 * the name its kernel is told. Read for the sandbox and for /etc/hosts.
 * Compat: kubelet 1.36 GeneratePodHostNameAndDomain, GetNodenameForKernel; gate
 * HostnameOverride (on).
 */
import { nameOf, namespaceOf, usesHostNetwork } from "../api/pod.ts";
import type { V1Pod } from "../api/types.ts";
import type { PodSettings } from "./facts.ts";

/** The kernel keeps 64 bytes; one of them ends the name. */
const LONGEST_HOSTNAME = 63;
/** Compat: upstream lets a whole name have one more. */
const LONGEST_FQDN = 64;
const LONGEST_SUBDOMAIN = 253;
const LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const IS_LABEL = new RegExp(`^${LABEL}$`);
const IS_SUBDOMAIN = new RegExp(`^${LABEL}(\\.${LABEL})*$`);

export type Hostname =
  | {
    readonly kind: "ok";
    readonly short: string;
    /** Empty without a subdomain. */
    readonly domain: string;
    /** Empty with the node's network: its name is the node's. */
    readonly kernel: string;
  }
  | { readonly kind: "refused"; readonly message: string };

export function hostnameOf(settings: PodSettings, pod: V1Pod): Hostname {
  const { hostname, subdomain, hostnameOverride } = pod.spec ?? {};
  if (hostnameOverride !== undefined && hostnameOverride !== null) {
    const why = subdomainFault(hostnameOverride);
    return why === undefined
      ? named(pod, { name: hostnameOverride, domain: "" })
      : fault("HostnameOverride", hostnameOverride, `DNS subdomain: ${why}`);
  }
  if (hostname && !isLabel(hostname)) {
    return fault("Hostname", hostname, `DNS label: ${LABEL_RULE}`);
  }
  if (subdomain && !isLabel(subdomain)) {
    return fault("Subdomain", subdomain, `DNS label: ${LABEL_RULE}`);
  }
  return named(pod, {
    name: hostname || nameOf(pod),
    domain: subdomain
      ? `${subdomain}.${namespaceOf(pod)}.svc.${settings.clusterDomain}`
      : "",
  });
}

function named(
  pod: V1Pod,
  { name, domain }: { readonly name: string; readonly domain: string },
): Hostname {
  const short = name.length <= LONGEST_HOSTNAME
    ? name
    : name.slice(0, LONGEST_HOSTNAME).replace(/(?<![-.])[-.]+$/, "");
  if (usesHostNetwork(pod)) return { kind: "ok", short, domain, kernel: "" };
  if (domain === "" || pod.spec?.setHostnameAsFQDN !== true) {
    return { kind: "ok", short, domain, kernel: short };
  }
  const kernel = `${short}.${domain}`;
  if (kernel.length <= LONGEST_FQDN) {
    return { kind: "ok", short, domain, kernel };
  }
  return {
    kind: "refused",
    message: "failed to construct FQDN from pod hostname and cluster domain, " +
      `FQDN ${kernel} is too long (${LONGEST_FQDN} characters is the max, ` +
      `${kernel.length} characters requested)`,
  };
}

function isLabel(text: string): boolean {
  return text.length <= LONGEST_HOSTNAME && IS_LABEL.test(text);
}

function subdomainFault(text: string): string | undefined {
  if (text.length > LONGEST_SUBDOMAIN) {
    return `must be no more than ${LONGEST_SUBDOMAIN} characters`;
  }
  return IS_SUBDOMAIN.test(text) ? undefined : SUBDOMAIN_RULE;
}

function fault(field: string, value: string, rule: string): Hostname {
  const quoted = JSON.stringify(value);
  return {
    kind: "refused",
    message: `pod ${field} ${quoted} is not a valid ${rule}`,
  };
}

/** Compat: the API server's words for names. */
const LABEL_RULE =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric " +
  "characters or '-', and must start and end with an alphanumeric character " +
  "(e.g. 'my-name',  or '123-abc', regex used for validation is " +
  "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN_RULE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric " +
  "characters, '-' or '.', and must start and end with an alphanumeric " +
  "character (e.g. 'example.com', regex used for validation is " +
  "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
