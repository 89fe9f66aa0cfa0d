/**
 * The machine's own file systems: what is mounted from a block device, how
 * full it is, and what the device has done. Used by usage.ts.
 */
import type { DiskActivity, MachineDisk } from "../port/usage.ts";
import { AT_FDCWD, cString, O_DIRECTORY, O_PATH } from "./abi.ts";
import type { Libc } from "./libc.ts";
import { type MountEntry, readMountTable } from "./mount_table.ts";

/**
 * Images in a file are no disks, though the kernel makes a device of them.
 * Compat: cadvisor 0.56 fs plugins
 */
const TYPES = /^(ext[234]|xfs|btrfs|f2fs|bcachefs)$/;

/** `diskstats` is the text of /proc/diskstats. */
export async function machineDisks(
  libc: Libc,
  diskstats: string,
): Promise<MachineDisk[]> {
  const activities = diskActivities(diskstats);
  return diskMounts(await readMountTable(libc)).flatMap((entry) => {
    const how = { flags: O_PATH | O_DIRECTORY, resolve: 0 };
    const fd = libc.openAt(AT_FDCWD, cString(entry.path), how);
    // A file over a file, or unmounted meanwhile.
    if (fd < 0) return [];
    const room = libc.filesystems.room(fd);
    libc.closeFd(fd);
    if (typeof room === "number" || room.capacityBytes === 0n) return [];
    const activity = activities.get(entry.device);
    const { source: device } = entry;
    return [{ device, ...room, ...activity === undefined ? {} : { activity } }];
  });
}

/**
 * One mount of each device, the one nearest the root: the others are of the
 * same file system. Pure.
 */
export function diskMounts(table: readonly MountEntry[]): MountEntry[] {
  const found = new Map<string, MountEntry>();
  for (const entry of table) {
    if (!entry.source.startsWith("/dev/") || !TYPES.test(entry.type)) continue;
    const known = found.get(entry.source);
    if (known !== undefined && known.path.length <= entry.path.length) continue;
    found.set(entry.source, entry);
  }
  return [...found.values()];
}

/** `254 0 vda 1 2 3 …` lines by `254:0`. Pure. */
export function diskActivities(
  text: string,
): ReadonlyMap<string, DiskActivity> {
  const found = new Map<string, DiskActivity>();
  for (const line of text.split("\n")) {
    const [major, minor, , ...counts] = line.trim().split(/\s+/);
    if (counts.length < 11 || !counts.every((each) => /^\d+$/.test(each))) {
      continue;
    }
    const at = (index: number) => BigInt(counts[index] ?? 0);
    found.set(`${major}:${minor}`, {
      reads: at(0),
      readsMerged: at(1),
      sectorsRead: at(2),
      readMs: at(3),
      writes: at(4),
      writesMerged: at(5),
      sectorsWritten: at(6),
      writeMs: at(7),
      inProgress: at(8),
      busyMs: at(9),
      weightedMs: at(10),
    });
  }
  return found;
}
