/**
 * The file system of a block device: found out, made where there is none,
 * checked, and mounted once for all pods that use it. Called by local.ts, one
 * device after the other. The programs need the permission to be run.
 * Compat: kubelet 1.36 local mountLocalBlockDevice, mount-utils 0.36
 * formatAndMountSensitive, with their words.
 */
import { AgentError, chainOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Files, Mounts } from "../port/host.ts";
import type { Command, Ended, Programs } from "../port/programs.ts";
import type { BoundVolume } from "./plan_storage.ts";

/** A large disk takes its time. */
const LIMIT_MS = 10 * 60_000;
const LIMIT_BYTES = 1024 * 1024;
/** Of blkid(8): nothing known was found on the device. */
const NOTHING_FOUND = 2;
/** Of fsck(8): errors that it could not correct. */
const NOT_CORRECTED = 4;
/** Of mkfs(8): over what seems to be there, and all of the room is the pod's. */
const MKFS_ARGS: ReadonlyMap<string, readonly string[]> = new Map([
  ["ext3", ["-F", "-m0"]],
  ["ext4", ["-F", "-m0"]],
  ["xfs", ["-f"]],
]);
/** So that nobody makes a file system over partitions. */
const PARTITIONS = "unknown data, probably partitions";
/** The reason of a mount that failed with another file system than asked. */
export const MISMATCH = "FilesystemMismatch";

export interface BlockPorts {
  readonly files: Pick<Files, "makeDirectory" | "remove">;
  readonly mounts: Pick<Mounts, "isMounted" | "mountDevice">;
  readonly programs: Programs;
  readonly log: Logger;
}

type BlockVolume = Pick<
  BoundVolume,
  "source" | "isReadOnly" | "options" | "asDevice"
>;

/** The directory that shows the device's file system. */
export async function mountBlock(
  ports: BlockPorts,
  volume: BlockVolume,
  signal: AbortSignal,
): Promise<string> {
  const { files, mounts } = ports;
  const { source: device, asDevice: { path, fsType }, options } = volume;
  await files.makeDirectory(path, 0o750);
  if (await mounts.isMounted(path)) return path;
  const isReadOnly = volume.isReadOnly || options.includes("ro");
  let found = "";
  try {
    found = await formatOf(ports, device, signal);
    if (found !== "" && !isReadOnly) await check(ports, device, signal);
    if (found === "") await format(ports, { ...volume, isReadOnly }, signal);
    const how = { device, type: fsType, options, isReadOnly };
    await mounts.mountDevice(path, how);
  } catch (error) {
    signal.throwIfAborted();
    await files.remove(path);
    const isOther = found !== "" && found !== fsType;
    throw new AgentError(
      `local: failed to mount device ${device} at ${path} (fstype: ` +
        `${fsType}), error ${chainOf(error)}${isOther ? `, has ${found}` : ""}`,
      { next: "retry", ...isOther ? { reason: MISMATCH } : {} },
    );
  }
  return path;
}

/** Empty: there is nothing on the device that anybody knows. */
async function formatOf(
  ports: BlockPorts,
  device: string,
  signal: AbortSignal,
): Promise<string> {
  const args = ["-p", "-s", "TYPE", "-s", "PTTYPE", "-o", "export", device];
  const ended = await run(ports, { path: "blkid", args }, signal);
  const found = formatIn(ended);
  if (found !== undefined) return found;
  throw new AgentError(
    `failed to get disk format of disk ${device}: exit status ${ended.code}`,
    { next: "retry" },
  );
}

/** What blkid(8) says; undefined: it failed. */
export function formatIn({ code, stdout }: Ended): string | undefined {
  if (code === NOTHING_FOUND) return "";
  if (code !== 0) return undefined;
  const said = new Map(
    stdout.split("\n").flatMap((line) => {
      const cut = line.indexOf("=");
      return cut < 0 ? [] : [[line.slice(0, cut), line.slice(cut + 1)]];
    }),
  );
  return said.has("PTTYPE") ? PARTITIONS : said.get("TYPE") ?? "";
}

async function format(
  ports: BlockPorts,
  { source: device, isReadOnly, asDevice: { fsType } }: BlockVolume,
  signal: AbortSignal,
): Promise<void> {
  if (isReadOnly) {
    const why = `cannot mount unformatted disk ${device} as we are ` +
      "manipulating it in read-only mode";
    throw new AgentError(why, { next: "retry" });
  }
  const args = [...MKFS_ARGS.get(fsType) ?? [], device];
  const ended = await run(ports, { path: `mkfs.${fsType}`, args }, signal);
  if (ended.code !== 0) {
    throw new AgentError(
      `format of disk "${device}" failed: type:("${fsType}") ` +
        `errcode:(exit status ${ended.code}) output:(${wordsOf(ended)})`,
      { next: "retry" },
    );
  }
  ports.log.info("Made a file system", { device, type: fsType });
}

/** What it cannot correct keeps the volume from its pod; else it goes on. */
async function check(
  ports: BlockPorts,
  device: string,
  signal: AbortSignal,
): Promise<void> {
  let ended: Ended;
  try {
    const command = { path: "fsck", args: ["-a", device] };
    ended = await run(ports, command, signal);
  } catch (error) {
    const isAbsent = error instanceof AgentError && error.reason === "NotFound";
    if (!isAbsent) throw error;
    ports.log.warn("Mounts a device unchecked: there is no fsck", { device });
    return;
  }
  if (ended.code === NOT_CORRECTED) {
    throw new AgentError(
      `'fsck' found errors on device ${device} but could not correct them: ` +
        wordsOf(ended),
      { next: "retry" },
    );
  }
  if (ended.code !== 0) {
    const words = wordsOf(ended);
    ports.log.warn("fsck said something", { device, code: ended.code, words });
  }
}

function run(
  { programs }: BlockPorts,
  command: Pick<Command, "path" | "args">,
  signal: AbortSignal,
): Promise<Ended> {
  const limits = { limitMs: LIMIT_MS, limitBytes: LIMIT_BYTES };
  return programs.run({ ...command, env: new Map(), ...limits }, signal);
}

function wordsOf({ stdout, stderr }: Ended): string {
  return [stdout, stderr].map((text) => text.trim()).filter((text) => text)
    .join("\n");
}
