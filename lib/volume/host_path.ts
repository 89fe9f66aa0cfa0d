/**
 * Is what a pod names on the host what it says it is? Made where it may be.
 * Compat: kubelet 1.36 hostPath checkType, with its words.
 */
import { AgentError } from "../base/errors.ts";
import type { HostPaths } from "../port/host.ts";
import type { HostVolume } from "./plan_storage.ts";

const HOST_TYPES = new Map([
  ["Directory", { kind: "directory", name: "directory" }],
  ["DirectoryOrCreate", { kind: "directory", name: "directory" }],
  ["File", { kind: "file", name: "file" }],
  ["FileOrCreate", { kind: "file", name: "file" }],
  ["Socket", { kind: "socket", name: "socket file" }],
  ["CharDevice", { kind: "char-device", name: "character device" }],
  ["BlockDevice", { kind: "block-device", name: "block device" }],
]);

export async function checkHostPath(
  hostPaths: HostPaths,
  { path, type }: Pick<HostVolume, "path" | "type">,
): Promise<void> {
  if (path.split("/").includes("..")) {
    throw refusal(`invalid HostPath \`${path}\`: must not contain '..'`);
  }
  if (type === "") return;
  const kind = await hostPaths.kindOf(path);
  if (kind === undefined) {
    if (type === "DirectoryOrCreate") {
      return await hostPaths.makeDirectory(path, 0o755);
    }
    if (type === "FileOrCreate") return await hostPaths.makeFile(path, 0o644);
  }
  const wanted = HOST_TYPES.get(type);
  if (wanted === undefined) throw refusal(`${type} is an invalid volume type`);
  if (kind === wanted.kind) return;
  throw refusal(`hostPath type check failed: ${path} is not a ${wanted.name}`);
}

function refusal(message: string): AgentError {
  return new AgentError(message, { next: "give-up" });
}
