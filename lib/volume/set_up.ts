/**
 * Makes one volume ready: its directory, its memory, its files. Doing it again
 * changes nothing. Called by run.ts.
 */
import { AgentError, nextOf } from "../base/errors.ts";
import { unreachable } from "../base/unreachable.ts";
import type { HostPaths, Mounts } from "../port/host.ts";
import type { ProjectedFile } from "./content.ts";
import type {
  EmptyVolume,
  FilesVolume,
  HostVolume,
  PlannedVolume,
} from "./plan.ts";
import { currentData, type WritePorts, writeVolume } from "./write.ts";

export interface SetUpPorts extends WritePorts {
  readonly mounts: Mounts;
  readonly hostPaths: HostPaths;
}

/** The files of a volume; rejects with what people shall read. */
export type Collect = (
  volume: FilesVolume,
) => Promise<ReadonlyMap<string, ProjectedFile>>;

/** Compat: kubelet 1.36 emptyDir; who may do what is up to the pod. */
const VOLUME_MODE = 0o777;
/** Compat: kubelet 1.36 changeFilePermission for a directory. */
const GROUP_MODE = 0o2770;

/** What was written before is still there, and will do for now. */
export class OldContent extends Error {
  readonly path: string;

  constructor(path: string, cause: unknown) {
    super("its files are those of an earlier time", { cause });
    this.path = path;
  }
}

/** The path to mount. Rejects with `OldContent` when the server is away. */
export async function setUpVolume(
  ports: SetUpPorts,
  volume: PlannedVolume,
  collect: Collect,
): Promise<string> {
  switch (volume.kind) {
    case "files":
      await setUpFiles(ports, volume, collect);
      return volume.path;
    case "empty-dir":
      await setUpEmpty(ports, volume);
      return volume.path;
    case "host-path":
      await checkHostPath(ports.hostPaths, volume);
      return volume.path;
    case "unknown":
      throw new AgentError("no volume plugin matched", { next: "give-up" });
    default:
      return unreachable(volume);
  }
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
    throw isThere ? new OldContent(path, content.reason) : content.reason;
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
): Promise<void> {
  const { files, mounts } = ports;
  const { path, medium, owner, readyFile } = volume;
  const isThere = medium === "memory"
    ? await mounts.isMounted(path)
    : await files.stat(path) !== undefined;
  // What the pod made of it since is the pod's.
  if (isThere && await files.stat(readyFile) !== undefined) return;
  await makeReady(ports, volume);
  if (owner.gid !== undefined) {
    const { mode } = await files.stat(path) ?? { mode: VOLUME_MODE };
    await files.own(path, { mode: mode | GROUP_MODE, gid: owner.gid });
  }
  const cut = readyFile.lastIndexOf("/");
  await files.makeDirectory(readyFile.slice(0, cut), 0o750);
  await files.touch(readyFile, 0o644);
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
}

/** Compat: kubelet 1.36 hostPath checkType, with its words. */
async function checkHostPath(
  hostPaths: HostPaths,
  { path, type }: HostVolume,
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

const HOST_TYPES = new Map([
  ["Directory", { kind: "directory", name: "directory" }],
  ["DirectoryOrCreate", { kind: "directory", name: "directory" }],
  ["File", { kind: "file", name: "file" }],
  ["FileOrCreate", { kind: "file", name: "file" }],
  ["Socket", { kind: "socket", name: "socket file" }],
  ["CharDevice", { kind: "char-device", name: "character device" }],
  ["BlockDevice", { kind: "block-device", name: "block device" }],
]);

function refusal(message: string): AgentError {
  return new AgentError(message, { next: "give-up" });
}
