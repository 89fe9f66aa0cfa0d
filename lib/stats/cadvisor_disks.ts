/**
 * The families of `/metrics/cadvisor` about disks; see cadvisor_families.ts.
 * Pure. A cgroup tells what its tasks moved; only the machine as a whole has
 * file systems, and times of its devices.
 * Compat: cadvisor 0.56, but that times are told in seconds, as the names say:
 * it divides milliseconds as if they were nanoseconds.
 */
import type { DiskActivity, DiskCounts, MachineDisk } from "../port/usage.ts";
import type { ContainerFamily, Head, Reading } from "./cadvisor_devices.ts";
import { labelText } from "./exposition.ts";

type OfActivity = (activity: DiskActivity) => number | bigint;

const counter = (name: string, help: string): Head => ({
  type: "counter",
  name: `container_fs_${name}`,
  help,
});
const gauge = (name: string, help: string): Head => ({
  type: "gauge",
  name: `container_fs_${name}`,
  help,
});

function ofCgroup(
  head: Head,
  value: (disk: DiskCounts) => bigint,
  activity?: OfActivity,
): ContainerFamily {
  return {
    ...head,
    read: ({ disks }) =>
      disks.map((disk) => ({ value: value(disk), extra: deviceOf(disk) })),
    ...activity === undefined ? {} : { readDisk: ofDevice(activity) },
  };
}

function ofMachine(
  head: Head,
  readDisk: (disk: MachineDisk) => number | bigint | undefined,
): ContainerFamily {
  return { ...head, read: () => [], readDisk };
}

function ofDevice(value: OfActivity) {
  return ({ activity }: MachineDisk) => activity && value(activity);
}

function deviceOf({ device }: { readonly device: string }): string {
  return labelText([["device", device]]);
}

/** Series of the machine itself. */
export function diskReadings(
  disks: readonly MachineDisk[],
  read: (disk: MachineDisk) => number | bigint | undefined,
): Reading[] {
  return disks.flatMap((disk) => {
    const value = read(disk);
    return value === undefined ? [] : [{ value, extra: deviceOf(disk) }];
  });
}

const seconds = (ms: bigint) => Number(ms) / 1000;

const ROOM: readonly ContainerFamily[] = [
  ofMachine(
    gauge("inodes_free", "Number of available Inodes"),
    (disk) => disk.inodesFree,
  ),
  ofMachine(
    gauge("inodes_total", "Number of Inodes"),
    (disk) => disk.inodes,
  ),
  ofMachine(
    gauge(
      "limit_bytes",
      "Number of bytes that can be consumed by the container on this " +
        "filesystem.",
    ),
    (disk) => disk.capacityBytes,
  ),
  ofMachine(
    gauge(
      "usage_bytes",
      "Number of bytes that are consumed by the container on this filesystem.",
    ),
    (disk) => disk.usedBytes,
  ),
];

const WORK: readonly ContainerFamily[] = [
  ofCgroup(
    counter("reads_bytes_total", "Cumulative count of bytes read"),
    (disk) => disk.readBytes,
  ),
  ofCgroup(
    counter("reads_total", "Cumulative count of reads completed"),
    (disk) => disk.reads,
    ({ reads }) => reads,
  ),
  ofMachine(
    counter(
      "sector_reads_total",
      "Cumulative count of sector reads completed",
    ),
    ofDevice(({ sectorsRead }) => sectorsRead),
  ),
  ofMachine(
    counter("reads_merged_total", "Cumulative count of reads merged"),
    ofDevice(({ readsMerged }) => readsMerged),
  ),
  ofMachine(
    counter("read_seconds_total", "Cumulative count of seconds spent reading"),
    ofDevice(({ readMs }) => seconds(readMs)),
  ),
  ofCgroup(
    counter("writes_bytes_total", "Cumulative count of bytes written"),
    (disk) => disk.writeBytes,
  ),
  ofCgroup(
    counter("writes_total", "Cumulative count of writes completed"),
    (disk) => disk.writes,
    ({ writes }) => writes,
  ),
  ofMachine(
    counter(
      "sector_writes_total",
      "Cumulative count of sector writes completed",
    ),
    ofDevice(({ sectorsWritten }) => sectorsWritten),
  ),
  ofMachine(
    counter("writes_merged_total", "Cumulative count of writes merged"),
    ofDevice(({ writesMerged }) => writesMerged),
  ),
  ofMachine(
    counter("write_seconds_total", "Cumulative count of seconds spent writing"),
    ofDevice(({ writeMs }) => seconds(writeMs)),
  ),
  ofMachine(
    gauge("io_current", "Number of I/Os currently in progress"),
    ofDevice(({ inProgress }) => inProgress),
  ),
  ofMachine(
    counter(
      "io_time_seconds_total",
      "Cumulative count of seconds spent doing I/Os",
    ),
    ofDevice(({ busyMs }) => seconds(busyMs)),
  ),
  ofMachine(
    counter(
      "io_time_weighted_seconds_total",
      "Cumulative weighted I/O time in seconds",
    ),
    ofDevice(({ weightedMs }) => seconds(weightedMs)),
  ),
];

export const DISK_FAMILIES: readonly ContainerFamily[] = [
  ...ROOM,
  ...WORK,
  {
    type: "counter",
    name: "container_blkio_device_usage_total",
    help: "Blkio Device bytes usage",
    read: ({ disks }) =>
      disks.flatMap((disk) => [
        usage(disk, "Read", disk.readBytes),
        usage(disk, "Write", disk.writeBytes),
      ]),
  },
];

function usage(
  { device, major, minor }: DiskCounts,
  operation: string,
  value: bigint,
): Reading {
  const extra = labelText([
    ["device", device],
    ["major", `${major}`],
    ["minor", `${minor}`],
    ["operation", operation],
  ]);
  return { value, extra };
}
