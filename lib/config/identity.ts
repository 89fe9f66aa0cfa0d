/**
 * Who the node is by its flags: its name, addresses and labels. Checks the flags
 * that no configuration field carries.
 */
import type { AgentFlags } from "./agent_flags.ts";
import {
  isDnsSubdomain,
  isIp,
  isIpv4,
  isLabelValue,
  isQualifiedName,
} from "./text_rules.ts";
import { shorten } from "./tree.ts";

export type Identity =
  | {
    readonly kind: "ok";
    readonly nodeName: string;
    /** At most one IPv4 and one IPv6 address; `0.0.0.0` and `::` choose. */
    readonly nodeIps: readonly string[];
    readonly warnings: readonly string[];
  }
  | { readonly kind: "invalid"; readonly message: string };

/** Compat: kubelet 1.36 GetHostname, ParseNodeIPArgument, ValidateKubeletFlags */
export function identify(flags: AgentFlags, hostname: string): Identity {
  const override = flags.hostnameOverride.trim();
  const nodeName = (override === "" ? hostname : override).trim().toLowerCase();
  if (!isDnsSubdomain(nodeName)) {
    const source = override === ""
      ? "the host name cannot be the node name, set --hostname-override"
      : "--hostname-override";
    return invalid(
      `${source}: value ${JSON.stringify(shorten(nodeName))} is not allowed: ` +
        "a DNS name of lower-case letters, digits, - and .",
    );
  }
  const written = flags.nodeIp.split(",").map((one) => one.trim())
    .filter((one) => one !== "");
  const nodeIps = written.filter(isIp);
  const dropped = written.filter((one) => !isIp(one));
  const problem = ipProblem(nodeIps) ?? labelProblem(flags.nodeLabels) ??
    pairProblem(flags);
  if (problem !== undefined) return invalid(problem);
  const warnings = dropped.length === 0
    ? []
    : [`--node-ip: no addresses, ignored: ${shorten(dropped.join(", "))}`];
  return { kind: "ok", nodeName, nodeIps, warnings };
}

function invalid(message: string): Identity {
  return { kind: "invalid", message };
}

function ipProblem(ips: readonly string[]): string | undefined {
  const isPair = ips.length === 2 &&
    isIpv4(ips[0] ?? "") !== isIpv4(ips[1] ?? "");
  if (ips.length > 1 && !isPair) {
    return `--node-ip: value ${shorten(ips.join(","))} is not allowed: ` +
      "one address or an IPv4 and an IPv6 one";
  }
  if (isPair && ips.some((ip) => ip === "0.0.0.0" || ip === "::")) {
    return "--node-ip: 0.0.0.0 and :: cannot be part of a pair";
  }
  return undefined;
}

/** The labels under kubernetes.io and k8s.io a node may give itself. */
const OWN_LABELS: ReadonlySet<string> = new Set([
  "kubernetes.io/hostname",
  "kubernetes.io/os",
  "kubernetes.io/arch",
  "beta.kubernetes.io/os",
  "beta.kubernetes.io/arch",
  "beta.kubernetes.io/instance-type",
  "node.kubernetes.io/instance-type",
  "topology.kubernetes.io/zone",
  "topology.kubernetes.io/region",
  "failure-domain.beta.kubernetes.io/zone",
  "failure-domain.beta.kubernetes.io/region",
]);

function labelProblem(labels: ReadonlyMap<string, string>): string | undefined {
  for (const [key, value] of labels) {
    if (!mayLabel(key)) {
      return `--node-labels: ${shorten(key)} is not allowed: below ` +
        "kubernetes.io and k8s.io a node may set kubelet.kubernetes.io/*, " +
        `node.kubernetes.io/* and ${[...OWN_LABELS].join(", ")}`;
    }
    if (!isQualifiedName(key) || !isLabelValue(value)) {
      return `--node-labels: ${shorten(`${key}=${value}`)} is not allowed: ` +
        "a label has at most 63 letters, digits, -, _ and . in name and " +
        "value, beginning and ending with a letter or digit";
    }
  }
  return undefined;
}

/** Compat: kubelet 1.36 IsKubeletLabel */
function mayLabel(key: string): boolean {
  const namespace = key.includes("/") ? key.slice(0, key.indexOf("/")) : "";
  const isBelow = (domain: string) =>
    namespace === domain || namespace.endsWith(`.${domain}`);
  if (!isBelow("kubernetes.io") && !isBelow("k8s.io")) return true;
  return OWN_LABELS.has(key) || isBelow("kubelet.kubernetes.io") ||
    isBelow("node.kubernetes.io");
}

function pairProblem(flags: AgentFlags): string | undefined {
  const hasConfig = flags.imageCredentialProviderConfig !== "";
  if (hasConfig !== (flags.imageCredentialProviderBinDir !== "")) {
    return "--image-credential-provider-config and " +
      "--image-credential-provider-bin-dir need each other";
  }
  return flags.exitOnLockContention && flags.lockFile === ""
    ? "--exit-on-lock-contention: needs --lock-file"
    : undefined;
}
