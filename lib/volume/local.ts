/**
 * Volumes that are a directory or a device of this very machine.
 * Compat: kubelet 1.36 local volume plugin.
 */
import { AgentError } from "../base/errors.ts";
import type { Semaphore } from "../base/semaphore.ts";
import { uidOf } from "../api/pod.ts";
import type { Files, HostPathKind, HostPaths, Mounts } from "../port/host.ts";
import type { ClaimFor } from "./claims.ts";
import { type BlockPorts, mountBlock } from "./block.ts";
import { stepFailure } from "./failure.ts";
import { giveToGroup, type OwnershipPorts } from "./ownership.ts";
import {
  type BoundVolume,
  deviceMounts,
  type DeviceVolume,
} from "./plan_storage.ts";

export interface LocalPorts
  extends Omit<OwnershipPorts, "mounts">, Omit<BlockPorts, "files" | "mounts"> {
  readonly files: Files;
  readonly mounts: Mounts;
  readonly hostPaths: HostPaths;
  /** One at a time mounts devices, or lets go of what nobody uses. */
  readonly deviceTurn: Semaphore;
}

export async function setUpBound(
  ports: LocalPorts,
  volume: BoundVolume,
  { pod, settings, signal }: ClaimFor,
): Promise<void> {
  const { files, mounts } = ports;
  const { path, isReadOnly, readyFile, owner } = volume;
  const isReady = await files.stat(readyFile) !== undefined &&
    await mounts.isMounted(path);
  const source = await bindSource(ports, volume, { isReady, signal });
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

/** Bound below the pod's own; gives what was bound. */
async function bindSource(
  ports: LocalPorts,
  volume: BoundVolume,
  { isReady, signal }: {
    readonly isReady: boolean;
    readonly signal: AbortSignal;
  },
): Promise<string> {
  const { files, mounts } = ports;
  const { path, source, isReadOnly, options } = volume;
  const bind = async (from: string) => {
    await files.makeDirectory(path, 0o750);
    await mounts.bind(from, path, { isReadOnly, options });
    return from;
  };
  // What is bound already stays, whatever became of its source.
  const kind = isReady ? "directory" : await kindOf(ports.hostPaths, source);
  if (kind === "directory") return await bind(source);
  if (kind !== "block-device") {
    throw new AgentError("only directory and block device are supported", {
      next: "retry",
    });
  }
  const mount = async () => {
    try {
      return await bind(await mountBlock(ports, volume, signal));
    } catch (error) {
      signal.throwIfAborted();
      throw stepFailure("MountVolume.MountDevice failed", volume.name, error);
    }
  };
  return await ports.deviceTurn.run(mount, signal);
}

/**
 * Unmounts the devices of which no pod has a volume any more. Looks at the
 * machine only: after a restart of the agent nothing else may be known.
 */
export async function releaseDevices(
  { files, mounts, deviceTurn }: Pick<
    LocalPorts,
    "files" | "mounts" | "deviceTurn"
  >,
  pluginsDir: string,
): Promise<void> {
  const parent = deviceMounts(pluginsDir);
  const { signal } = new AbortController();
  await deviceTurn.run(async () => {
    for (const { name } of await files.list(parent) ?? []) {
      const path = `${parent}/${name}`;
      const users = (await mounts.boundAt(path))
        .filter((each) => each !== path);
      if (users.length > 0) continue;
      await mounts.unmount(path);
      await files.remove(path);
    }
  }, signal);
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

/**
 * Containers are told a link below the pod's directory.
 * Compat: kubelet 1.36 GenerateMapVolumeFunc: the only volumes that tell of
 * their success.
 */
export async function setUpDevice(
  { files, hostPaths, recorder }: Pick<
    LocalPorts,
    "files" | "hostPaths" | "recorder"
  >,
  { path, source, name }: DeviceVolume,
  uid: ReturnType<typeof uidOf>,
): Promise<void> {
  const kind = await kindOf(hostPaths, source);
  if (kind !== "block-device") {
    throw new AgentError(`${source} is not a block device`, { next: "retry" });
  }
  await files.makeDirectory(path.slice(0, path.lastIndexOf("/")), 0o750);
  if (await files.readLink(path) === source) return;
  await files.link(path, source);
  recorder.record(uid, {
    type: "Normal",
    reason: "SuccessfulMountVolume",
    message: `MapVolume.MapPodDevice succeeded for volume "${name}" ` +
      `volumeMapPath "${path.slice(0, path.lastIndexOf("/"))}"`,
  });
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
