/**
 * The families of `/metrics/cadvisor` about processes, stalls and networks; see
 * cadvisor_families.ts. Pure.
 */
import type {
  CgroupUse,
  InterfaceCounts,
  MachineDisk,
  Pressure,
} from "../port/usage.ts";
import type { Family } from "./exposition.ts";

export type Head = Omit<Family, "series">;

export interface Reading {
  readonly value: number | bigint;
  /** More labels, behind those of the cgroup. */
  readonly extra?: string;
}

export interface ContainerFamily extends Head {
  readonly read: (use: CgroupUse) => readonly Reading[];
  /** Of the machine itself: told in place of what its cgroup tells. */
  readonly readDisk?: (disk: MachineDisk) => number | bigint | undefined;
}

export interface NetworkFamily extends Head {
  readonly read: (counts: InterfaceCounts) => bigint;
}

function ofPressure(
  kind: "cpu" | "memory" | "io",
  line: "some" | "full",
): ContainerFamily {
  const word = line === "some" ? "waiting" : "stalled";
  const state = line === "some" ? "waited due to" : "were stalled by";
  const seconds = (pressure: Pressure) => Number(pressure[line].totalUs) / 1e6;
  return {
    type: "counter",
    name: `container_pressure_${kind}_${word}_seconds_total`,
    help:
      `Total time duration tasks in the container ${state} ${kind} congestion.`,
    read: ({ pressure }) => {
      const found = pressure[kind];
      return found === undefined ? [] : [{ value: seconds(found) }];
    },
  };
}

export const PROCESS_FAMILIES: readonly ContainerFamily[] = [
  {
    type: "gauge",
    name: "container_processes",
    help: "Number of processes running inside the container.",
    read: ({ ownProcesses }) =>
      ownProcesses === undefined ? [] : [{ value: ownProcesses }],
  },
  {
    type: "gauge",
    name: "container_threads",
    help: "Number of threads running inside the container",
    read: ({ processes }) =>
      processes === undefined ? [] : [{ value: processes }],
  },
  {
    type: "gauge",
    name: "container_threads_max",
    help: "Maximum number of threads allowed inside the container, " +
      "infinity if value is zero",
    read: ({ processes, processLimit }) =>
      processes === undefined ? [] : [{ value: processLimit ?? 0n }],
  },
];

export const PRESSURE_FAMILIES: readonly ContainerFamily[] = [
  ofPressure("cpu", "some"),
  ofPressure("cpu", "full"),
  ofPressure("memory", "some"),
  ofPressure("memory", "full"),
  ofPressure("io", "some"),
  ofPressure("io", "full"),
];

function network(
  direction: "receive" | "transmit",
  what: string,
  help: string,
): Head {
  const name = `container_network_${direction}_${what}_total`;
  return { type: "counter", name, help };
}

export const NETWORK_FAMILIES: readonly NetworkFamily[] = [
  {
    ...network("receive", "bytes", "Cumulative count of bytes received"),
    read: (counts) => counts.receivedBytes,
  },
  {
    ...network("receive", "packets", "Cumulative count of packets received"),
    read: (counts) => counts.receivedPackets,
  },
  {
    ...network(
      "receive",
      "packets_dropped",
      "Cumulative count of packets dropped while receiving",
    ),
    read: (counts) => counts.receivedDropped,
  },
  {
    ...network(
      "receive",
      "errors",
      "Cumulative count of errors encountered while receiving",
    ),
    read: (counts) => counts.receivedErrors,
  },
  {
    ...network("transmit", "bytes", "Cumulative count of bytes transmitted"),
    read: (counts) => counts.sentBytes,
  },
  {
    ...network(
      "transmit",
      "packets",
      "Cumulative count of packets transmitted",
    ),
    read: (counts) => counts.sentPackets,
  },
  {
    ...network(
      "transmit",
      "packets_dropped",
      "Cumulative count of packets dropped while transmitting",
    ),
    read: (counts) => counts.sentDropped,
  },
  {
    ...network(
      "transmit",
      "errors",
      "Cumulative count of errors encountered while transmitting",
    ),
    read: (counts) => counts.sentErrors,
  },
];
