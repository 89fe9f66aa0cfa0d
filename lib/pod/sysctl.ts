/**
 * Which kernel parameters a pod may set. Asked before `admit()`, as upstream
 * does: a pod that is not allowed is refused whatever the node is like.
 * Compat: kubelet 1.36 sysctl.patternAllowlist.
 */
import type { V1Pod } from "../api/types.ts";
import type { Refusal } from "./admit.ts";

/** Compat: kubelet 1.36 sysctl.SafeSysctlAllowlist, whatever the kernel. */
const SAFE: readonly string[] = [
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.ping_group_range",
  "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.ip_local_reserved_ports",
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
  "net.ipv4.tcp_rmem",
  "net.ipv4.tcp_wmem",
];

const IPC_PREFIXES = ["kernel.sem", "kernel.shm", "kernel.msg", "fs.mqueue."];

/**
 * The refusal for the first parameter that may not be set. `unsafe` are what
 * the operator allows besides: names, or beginnings that end with `*`.
 */
export function refuseSysctls(
  pod: V1Pod,
  unsafe: readonly string[],
): Refusal | undefined {
  const allowed = [...SAFE, ...unsafe];
  for (const { name } of pod.spec?.securityContext?.sysctls ?? []) {
    const complaint = complain(pod, normalName(name), allowed.map(normalName));
    if (complaint === undefined) continue;
    return {
      reason: "SysctlForbidden",
      message: `forbidden sysctl: ${complaint}`,
    };
  }
  return undefined;
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
