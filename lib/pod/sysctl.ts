/**
 * Which kernel parameters a pod may set. Asked before `admit()`, as upstream
 * does: a pod that is not allowed is refused whatever the node is like.
 * Compat: kubelet 1.36 sysctl.patternAllowlist.
 */
import { isKernelSince } from "../api/kernel_version.ts";
import type { V1Pod } from "../api/types.ts";
import type { Refusal } from "./admit.ts";

/**
 * Name, and the first kernel whose network namespaces have it to themselves.
 * Compat: kubelet 1.36 sysctl.SafeSysctlAllowlist.
 */
const SAFE: readonly (readonly [string, number, number])[] = [
  ["kernel.shm_rmid_forced", 0, 0],
  ["net.ipv4.ip_local_port_range", 0, 0],
  ["net.ipv4.tcp_syncookies", 0, 0],
  ["net.ipv4.ping_group_range", 0, 0],
  ["net.ipv4.ip_unprivileged_port_start", 0, 0],
  ["net.ipv4.ip_local_reserved_ports", 3, 16],
  ["net.ipv4.tcp_keepalive_time", 4, 5],
  ["net.ipv4.tcp_fin_timeout", 4, 6],
  ["net.ipv4.tcp_keepalive_intvl", 4, 5],
  ["net.ipv4.tcp_keepalive_probes", 4, 5],
  ["net.ipv4.tcp_rmem", 4, 15],
  ["net.ipv4.tcp_wmem", 4, 15],
];

const IPC_PREFIXES = ["kernel.sem", "kernel.shm", "kernel.msg", "fs.mqueue."];
const LONGEST_NAME = 253;
const SEGMENT = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
const NAME = new RegExp(`^${SEGMENT}([./]${SEGMENT})*$`);
/** Printable; a `+` starts a second parameter in some runtimes. */
const VALUE = /^[\t\x20-\x2a\x2c-\x7e]*$/;

export interface SysctlRules {
  /** What the operator allows besides: names, or beginnings that end in `*`. */
  readonly unsafe: readonly string[];
  /** `6.1.0-18-amd64`. */
  readonly kernelVersion: string;
}

/** The refusal for the first parameter that may not be set. */
export function refuseSysctls(
  pod: V1Pod,
  rules: SysctlRules,
): Refusal | undefined {
  const sysctls = pod.spec?.securityContext?.sysctls ?? [];
  if (sysctls.length === 0) return undefined;
  const allowed = [...safe(rules.kernelVersion), ...rules.unsafe]
    .map(normalName);
  for (const { name, value } of sysctls) {
    const complaint = complain(pod, normalName(name), allowed) ??
      misspelt(name, value);
    if (complaint === undefined) continue;
    return {
      reason: "SysctlForbidden",
      message: `forbidden sysctl: ${complaint}`,
    };
  }
  return undefined;
}

function safe(kernelVersion: string): string[] {
  return SAFE.filter(([, ...since]) => isKernelSince(kernelVersion, ...since))
    .map(([name]) => name);
}

/** Ours: what is no name or value of the kernel's never reaches a runtime. */
function misspelt(name: string, value: string): string | undefined {
  if (name.length > LONGEST_NAME || !NAME.test(name)) {
    return `${JSON.stringify(name)} is not a valid name`;
  }
  return VALUE.test(value)
    ? undefined
    : `${JSON.stringify(name)} has a value with characters that no value has`;
}

function complain(
  pod: V1Pod,
  name: string,
  allowed: readonly string[],
): string | undefined {
  const isAllowed = allowed.some((pattern) => {
    const star = pattern.indexOf("*");
    return star < 0
      ? pattern === name
      : name.startsWith(pattern.slice(0, star));
  });
  if (!isAllowed) return `"${name}" not allowlisted`;
  const isIpc = IPC_PREFIXES.some((prefix) => name.startsWith(prefix));
  const isShared = isIpc ? pod.spec?.hostIPC : pod.spec?.hostNetwork;
  if (isShared !== true) return undefined;
  return `"${name}" not allowed with host ${isIpc ? "IPC" : "Net"} enabled`;
}

/**
 * A name may be written with slashes; its dots are slashes then, as in
 * `net/ipv4/conf/eth0.1/forwarding`. Compat: kubelet 1.36 NormalizeName.
 */
function normalName(name: string): string {
  if (/^[^./]*(\.|$)/.test(name)) return name;
  return name.replace(/[./]/g, (found) => found === "." ? "/" : ".");
}
