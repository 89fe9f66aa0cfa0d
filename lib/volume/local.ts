/**
 * Volumes that are a directory or a device of this very machine.
 * Compat: kubelet 1.36 local volume plugin.
 */
import { AgentError } from "../base/errors.ts";
import { uidOf } from "../api/pod.ts";
import type { Files, HostPathKind, HostPaths, Mounts } from "../port/host.ts";
import type { ClaimFor } from "./claims.ts";
import { giveToGroup, type OwnershipPorts } from "./ownership.ts";
import type { BoundVolume, DeviceVolume } from "./plan_storage.ts";

export interface LocalPorts extends OwnershipPorts {
  readonly files: Files;
  readonly mounts: Mounts;
  readonly hostPaths: HostPaths;
}

export async function setUpBound(
  ports: LocalPorts,
  volume: BoundVolume,
  { pod, settings, signal }: ClaimFor,
): Promise<void> {
  const { files, mounts } = ports;
  const { path, source, isReadOnly, options, readyFile, owner } = volume;
  const isReady = await files.stat(readyFile) !== undefined &&
    await mounts.isMounted(path);
  const kind = isReady ? "directory" : await kindOf(ports.hostPaths, source);
  if (kind !== "directory") {
    throw new AgentError(
      kind === "block-device"
        ? `${source} is a block device, which this node does not format`
        : "only directory and block device are supported",
      { next: "retry" },
    );
  }
  await files.makeDirectory(path, 0o750);
  await mounts.bind(source, path, { isReadOnly, options });
  if (isReady) return;
  const others = owner.gid === undefined || isReadOnly
    ? []
    : (await mounts.boundAt(source))
      .filter((each) => each !== path && isOfPod(each, settings.podsDir));
  const uid = uidOf(pod);
  if (others.length > 0) await warnOfGroup(ports, volume, uid);
  else if (!isReadOnly) {
    await giveToGroup(ports, { path, owner, isReadOnly, uid, signal });
  }
  await markReady(files, readyFile);
}

function isOfPod(path: string, podsDir: string): boolean {
  return path.startsWith(`${podsDir}/`);
}

/** Another pod uses it: it stays with the group that it has. */
async function warnOfGroup(
  { files, recorder }: LocalPorts,
  { path, name, owner }: BoundVolume,
  uid: ReturnType<typeof uidOf>,
): Promise<void> {
  const { gid } = await files.stat(path) ?? {};
  if (gid === undefined || gid === owner.gid) return;
  recorder.record(uid, {
    type: "Warning",
    reason: "AlreadyMountedVolume",
    message: `The requested fsGroup is ${owner.gid}, but the volume ${name} ` +
      `has GID ${gid}. The volume may not be shareable.`,
  });
}

/** Containers are told a link below the pod's directory. */
export async function setUpDevice(
  { files, hostPaths }: Pick<LocalPorts, "files" | "hostPaths">,
  { path, source }: DeviceVolume,
): Promise<void> {
  const kind = await kindOf(hostPaths, source);
  if (kind !== "block-device") {
    throw new AgentError(`${source} is not a block device`, { next: "retry" });
  }
  await files.makeDirectory(path.slice(0, path.lastIndexOf("/")), 0o750);
  if (await files.readLink(path) !== source) await files.link(path, source);
}

async function kindOf(
  hostPaths: HostPaths,
  path: string,
): Promise<HostPathKind> {
  const kind = await hostPaths.kindOf(path);
  if (kind !== undefined) return kind;
  throw new AgentError(`path "${path}" does not exist`, { next: "retry" });
}

/** From now on what the pod makes of the volume is the pod's. */
export async function markReady(files: Files, readyFile: string) {
  const cut = readyFile.lastIndexOf("/");
  await files.makeDirectory(readyFile.slice(0, cut), 0o750);
  await files.touch(readyFile, 0o644);
}
