/**
 * Texts that no runtime should be trusted with: what holds a NUL byte, which
 * ends a text early for some readers, and working directories that lead out of
 * the container by a descriptor of the runtime's.
 * Ours: the kubelet passes them on (CVE-2019-5736, CVE-2024-21626).
 */
import type { ContainerSpec, SandboxSpec } from "../port/runtime_spec.ts";

/** Links of a process to what it has open, wherever that is. */
const PROCESS_LINKS =
  /^\/proc\/(self|thread-self|\d+)(\/task\/\d+)?\/(fd|root|cwd|exe|map_files)(\/|$)/;

/** Why the container cannot be asked for, if so. */
export function containerFault(spec: ContainerSpec): string | undefined {
  if (PROCESS_LINKS.test(normal(spec.workingDir))) {
    return `workingDir ${JSON.stringify(spec.workingDir)} leads through a ` +
      "process's open files";
  }
  return nulFault([
    ["workingDir", [spec.workingDir]],
    ["command", spec.command],
    ["args", spec.args],
    ["env", spec.env.flatMap(({ name, value }) => [name, value])],
    ["mounts", spec.mounts.flatMap((m) => [m.containerPath, m.hostPath])],
    ["labels", [...spec.labels].flat()],
    ["annotations", [...spec.annotations].flat()],
  ]);
}

/** Why the sandbox cannot be asked for, if so. */
export function sandboxFault(spec: SandboxSpec): string | undefined {
  const { dns } = spec;
  return nulFault([
    ["hostname", [spec.hostname]],
    ["labels", [...spec.labels].flat()],
    ["annotations", [...spec.annotations].flat()],
    ["sysctls", [...spec.sysctls].flat()],
    [
      "dnsConfig",
      [...dns?.servers ?? [], ...dns?.searches ?? [], ...dns?.options ?? []],
    ],
  ]);
}

function nulFault(
  fields: readonly (readonly [string, readonly string[]])[],
): string | undefined {
  const [field] =
    fields.find(([, texts]) => texts.some((text) => text.includes("\0"))) ?? [];
  return field === undefined ? undefined : `${field} holds a NUL byte`;
}

/** Without `.`, `..` and doubled slashes. */
function normal(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}
