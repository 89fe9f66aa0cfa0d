/**
 * Which kernel parameters a pod may set. Asked before `admit()`, as upstream
 * does: a pod that is not allowed is refused whatever the node is like.
 * Compat: kubelet 1.36 sysctl.patternAllowlist.
 */
import type { V1Pod } from "../api/types.ts";
import type { Refusal } from "./admit.ts";

const IPC_PREFIXES = ["kernel.sem", "kernel.shm", "kernel.msg", "fs.mqueue."];

/**
 * The refusal for the first parameter that may not be set. `allowed` are the
 * safe ones and those of the operator: names, or beginnings that end with `*`.
 */
export function refuseSysctls(
  pod: V1Pod,
  allowed: readonly string[],
): Refusal | undefined {
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
