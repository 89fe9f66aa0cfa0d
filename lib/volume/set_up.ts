/**
 * Makes one volume ready: its directory, its memory, its files. Doing it again
 * changes nothing. Called by run.ts.
 */
import { AgentError, nextOf } from "../base/errors.ts";
import { unreachable } from "../base/unreachable.ts";
import type { Meters } from "../api/meters.ts";
import { uidOf } from "../api/pod.ts";
import type { V1PersistentVolume } from "../api/types.ts";
import type { ClusterObjects } from "../port/cluster.ts";
import type { VolumeRecorder } from "../port/recorder.ts";
import { MISMATCH } from "./block.ts";
import { type ClaimFor, resolveClaim } from "./claims.ts";
import type { ProjectedFile } from "./content.ts";
import { StepFailure, stepFailure } from "./failure.ts";
import { checkHostPath } from "./host_path.ts";
import {
  type LocalPorts,
  markReady,
  setUpBound,
  setUpDevice,
} from "./local.ts";
import { giveToGroup } from "./ownership.ts";
import type { FilesVolume, PlannedVolume } from "./plan.ts";
import type { ClaimVolume, EmptyVolume, RemoteVolume } from "./plan_storage.ts";
import type { MountedVolume } from "./types.ts";
import { currentData, type WritePorts, writeVolume } from "./write.ts";

export interface SetUpPorts extends WritePorts, LocalPorts {
  readonly meters?: Pick<
    Meters,
    "storageSeconds" | "volumeSeconds" | "storageErrors"
  >;
  /** Events about persistent volumes; undefined without an API server. */
  readonly volumeRecorder?: VolumeRecorder | undefined;
  /** Undefined without an API server. */
  readonly objects: ClusterObjects | undefined;
}

/** The files of a volume; rejects with what people shall read. */
export type Collect = (
  volume: FilesVolume,
) => Promise<ReadonlyMap<string, ProjectedFile>>;

/** Whose volume it is, and where its files come from. */
export interface Supply extends ClaimFor {
  readonly collect: Collect;
}

/** Compat: kubelet 1.36 emptyDir; who may do what is up to the pod. */
const VOLUME_MODE = 0o777;

/** What was written before is still there, and will do for now. */
export class OldContent extends Error {
  readonly volume: MountedVolume;

  constructor(volume: MountedVolume, cause: unknown) {
    super("its files are those of an earlier time", { cause });
    this.volume = volume;
  }
}

/** What to mount. Rejects with `OldContent` when the server is away. */
export function setUpVolume(
  ports: SetUpPorts,
  volume: PlannedVolume,
  supply: Supply,
): Promise<MountedVolume> {
  const { clock, meters } = ports;
  const startedMs = clock.monotonicMs();
  const seconds = () => (clock.monotonicMs() - startedMs) / 1000;
  const tell = (status: string) =>
    meters?.storageSeconds.observe({
      migrated: "false",
      operation_name: "volume_mount",
      status,
      volume_plugin: pluginOf(volume),
    }, seconds());
  const made = setUp(ports, volume, supply);
  made.then(() => {
    tell("success");
    // Compat: kubelet 1.36 GenerateMountVolumeFunc: where it went well.
    meters?.volumeSeconds.observe({
      operation_name: "overall_volume_mount",
      plugin_name: pluginOf(volume),
    }, seconds());
  }, () => {
    tell("fail-unknown");
    meters?.storageErrors.add({
      operation_name: "volume_mount",
      volume_plugin: pluginOf(volume),
    });
  });
  return made;
}

const PLUGINS: Readonly<Record<PlannedVolume["kind"], string>> = {
  files: "kubernetes.io/projected",
  "empty-dir": "kubernetes.io/empty-dir",
  "host-path": "kubernetes.io/host-path",
  bound: "kubernetes.io/local-volume",
  device: "kubernetes.io/local-volume",
  nfs: "kubernetes.io/nfs",
  claim: "kubernetes.io/persistent-claim",
  image: "kubernetes.io/image",
  refused: "kubernetes.io/unsupported",
};

/** Its directory is named for its kind, where it has one. */
function pluginOf(volume: PlannedVolume): string {
  const path = "path" in volume ? volume.path : "";
  const kind = /\/volumes\/kubernetes\.io~([^/]+)\//.exec(path)?.[1];
  return kind === undefined ? PLUGINS[volume.kind] : `kubernetes.io/${kind}`;
}

async function setUp(
  ports: SetUpPorts,
  volume: PlannedVolume,
  supply: Supply,
): Promise<MountedVolume> {
  switch (volume.kind) {
    case "files":
      await setUpFiles(ports, volume, supply.collect);
      return mountedFiles(volume);
    case "empty-dir":
      await setUpEmpty(ports, volume, supply);
      return mounted(volume, {});
    case "host-path":
      await checkHostPath(ports.hostPaths, volume);
      return mounted(volume, {
        isReadOnly: volume.isReadOnly,
        isRelabelled: false,
      });
    case "bound":
      await setUpBound(ports, volume, supply);
      return mounted(volume, {
        isReadOnly: volume.isReadOnly,
        isRelabelled: !volume.isReadOnly,
      });
    case "device":
      await setUpDevice(ports, volume, uidOf(supply.pod));
      return mounted(volume, {
        isReadOnly: volume.isReadOnly,
        isDevice: true,
      });
    case "nfs":
      await setUpRemote(ports, volume, supply);
      return mounted(volume, {
        isReadOnly: volume.isReadOnly,
        isRelabelled: false,
      });
    case "claim":
      return await setUpClaim(ports, volume, supply);
    case "image":
      return mounted({ name: volume.name, path: "" }, {
        isReadOnly: true,
        isRelabelled: false,
      });
    case "refused":
      throw new AgentError(volume.message, { next: "give-up" });
    default:
      return unreachable(volume);
  }
}

function mounted(
  { name, path }: { readonly name: string; readonly path: string },
  own: Partial<MountedVolume>,
): MountedVolume {
  return {
    path,
    isReadOnly: false,
    isRelabelled: true,
    isDevice: false,
    specName: name,
    group: "",
    ...own,
  };
}

function mountedFiles(volume: FilesVolume): MountedVolume {
  return mounted(volume, { isReadOnly: true });
}

async function setUpClaim(
  ports: SetUpPorts,
  volume: ClaimVolume,
  supply: Supply,
): Promise<MountedVolume> {
  const { objects } = ports;
  const claimed = await resolveClaim(objects, volume, supply);
  const { planned, group, persistent } = claimed;
  try {
    return { ...await setUpVolume(ports, planned, supply), group };
  } catch (error) {
    supply.signal.throwIfAborted();
    if (error instanceof StepFailure) {
      tellMismatch(ports, persistent, error);
      throw error;
    }
    const step = planned.kind === "device"
      ? "MapVolume.MapPodDevice failed"
      : "MountVolume.SetUp failed";
    throw stepFailure(step, planned.name, error);
  }
}

/** Compat: kubelet 1.36 checkForFailedMount: the volume's owner is told. */
function tellMismatch(
  { volumeRecorder }: SetUpPorts,
  volume: V1PersistentVolume,
  { cause }: StepFailure,
): void {
  if (!(cause instanceof AgentError) || cause.reason !== MISMATCH) return;
  volumeRecorder?.record(volume, {
    type: "Warning",
    reason: "FailedMountOnFilesystemMismatch",
    message: `MountVolume failed for volume "${volume.metadata?.name}" ` +
      cause.message,
  });
}

async function setUpRemote(
  { files, mounts }: SetUpPorts,
  volume: RemoteVolume,
  { signal }: Supply,
): Promise<void> {
  const { path, server, exported, options, isReadOnly } = volume;
  await files.makeDirectory(path, 0o750);
  const remote = {
    type: "nfs",
    server,
    exported,
    options,
    isReadOnly,
  } as const;
  await mounts.mountRemote(path, remote, signal);
}

async function setUpFiles(
  ports: SetUpPorts,
  volume: FilesVolume,
  collect: Collect,
): Promise<void> {
  const { path, nested, owner } = volume;
  const made = makeReady(ports, volume).then(async () => {
    for (const each of nested) {
      await ports.files.makeDirectory(`${path}/${each}`, 0o755);
    }
  });
  // Side by side: to ask takes longer than to mount. Both have ended before
  // this does, so that whoever waits for us knows that nobody writes.
  const [content, ready] = await Promise.allSettled([collect(volume), made]);
  if (ready.status === "rejected") throw ready.reason;
  if (content.status === "rejected") {
    const isThere = nextOf(content.reason) === "retry" &&
      await currentData(ports.files, path) !== undefined;
    throw isThere
      ? new OldContent(mountedFiles(volume), content.reason)
      : content.reason;
  }
  await writeVolume(ports, {
    directory: path,
    content: content.value,
    gid: owner.gid,
  });
}

/** Compat: kubelet 1.36 emptyDir SetUpAt and its ready file. */
async function setUpEmpty(
  ports: SetUpPorts,
  volume: EmptyVolume,
  { pod, signal }: Supply,
): Promise<void> {
  const { files, mounts } = ports;
  const { path, medium, owner, readyFile } = volume;
  const isThere = medium === "disk"
    ? await files.stat(path) !== undefined
    : await mounts.isMounted(path);
  // What the pod made of it since is the pod's.
  if (isThere && await files.stat(readyFile) !== undefined) return;
  await makeReady(ports, volume);
  const uid = uidOf(pod);
  await giveToGroup(ports, { path, owner, isReadOnly: false, uid, signal });
  await markReady(files, readyFile);
}

async function makeReady(
  { files, mounts }: SetUpPorts,
  volume: FilesVolume | EmptyVolume,
): Promise<void> {
  const { path, medium, sizeBytes } = volume;
  const cut = path.lastIndexOf("/");
  await files.makeDirectory(path.slice(0, cut), 0o750);
  await files.makeDirectory(path, VOLUME_MODE);
  if (medium === "memory") await mounts.mountTmpfs(path, { sizeBytes });
  if (medium === "huge-pages") await mounts.mountHugePages(path, sizeBytes);
}
