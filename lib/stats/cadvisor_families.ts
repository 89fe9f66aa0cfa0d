/**
 * The families of `/metrics/cadvisor` as a table: name, help, type, and how
 * each is read from what a cgroup tells. Pure. Names and labels are contract.
 */
import type { CpuCounts, MemoryCounts } from "../port/usage.ts";
import {
  type ContainerFamily,
  type Head,
  PRESSURE_FAMILIES,
  PROCESS_FAMILIES,
  type Reading,
} from "./cadvisor_devices.ts";
import { DISK_FAMILIES } from "./cadvisor_disks.ts";
import { labelText, seconds } from "./exposition.ts";

function ofCpu(
  head: Head,
  value: (cpu: CpuCounts) => number | bigint | undefined,
  extra?: string,
): ContainerFamily {
  return {
    ...head,
    read: ({ cpu }) => {
      const found = cpu && value(cpu);
      if (found === undefined) return [];
      return [{ value: found, ...extra === undefined ? {} : { extra } }];
    },
  };
}

function ofMemory(
  head: Head,
  value: (memory: MemoryCounts) => bigint | undefined,
): ContainerFamily {
  return {
    ...head,
    read: ({ memory }) => {
      const found = memory && value(memory);
      return found === undefined ? [] : [{ value: found }];
    },
  };
}

/** Compat: only where there is a quota do the periods mean anything. */
const throttled = (value: (cpu: CpuCounts) => number | bigint) =>
(
  cpu: CpuCounts,
) => cpu.quotaUs === undefined ? undefined : value(cpu);

const CPU: readonly ContainerFamily[] = [
  ofCpu(
    {
      type: "counter",
      name: "container_cpu_usage_seconds_total",
      help: "Cumulative cpu time consumed in seconds.",
    },
    (cpu) => seconds(cpu.usageNs),
    'cpu="total"',
  ),
  ofCpu(
    {
      type: "counter",
      name: "container_cpu_user_seconds_total",
      help: "Cumulative user cpu time consumed in seconds.",
    },
    (cpu) => seconds(cpu.userNs),
  ),
  ofCpu(
    {
      type: "counter",
      name: "container_cpu_system_seconds_total",
      help: "Cumulative system cpu time consumed in seconds.",
    },
    (cpu) => seconds(cpu.systemNs),
  ),
  ofCpu(
    {
      type: "counter",
      name: "container_cpu_cfs_periods_total",
      help: "Number of elapsed enforcement period intervals.",
    },
    throttled((cpu) => cpu.periods),
  ),
  ofCpu(
    {
      type: "counter",
      name: "container_cpu_cfs_throttled_periods_total",
      help: "Number of throttled period intervals.",
    },
    throttled((cpu) => cpu.throttledPeriods),
  ),
  ofCpu(
    {
      type: "counter",
      name: "container_cpu_cfs_throttled_seconds_total",
      help: "Total time duration the container has been throttled.",
    },
    throttled((cpu) => seconds(cpu.throttledNs)),
  ),
  ofCpu(
    {
      type: "counter",
      name: "container_cpu_cfs_burst_periods_total",
      help: "Number of periods when burst occurs.",
    },
    throttled((cpu) => cpu.burstPeriods),
  ),
  ofCpu(
    {
      type: "counter",
      name: "container_cpu_cfs_burst_seconds_total",
      help: "Total time duration the container has used beyond its quota " +
        "in seconds.",
    },
    throttled((cpu) => seconds(cpu.burstNs)),
  ),
  ofCpu(
    {
      type: "gauge",
      name: "container_spec_cpu_period",
      help: "CPU period of the container.",
    },
    (cpu) => cpu.periodUs,
  ),
  ofCpu(
    {
      type: "gauge",
      name: "container_spec_cpu_quota",
      help: "CPU quota of the container.",
    },
    (cpu) => cpu.quotaUs,
  ),
  ofCpu(
    {
      type: "gauge",
      name: "container_spec_cpu_shares",
      help: "CPU share of the container.",
    },
    (cpu) => cpu.shares,
  ),
];

const MEMORY: readonly ContainerFamily[] = [
  ofMemory(
    {
      type: "gauge",
      name: "container_memory_usage_bytes",
      help: "Current memory usage in bytes, " +
        "including all memory regardless of when it was accessed",
    },
    (memory) => memory.usageBytes,
  ),
  ofMemory(
    {
      type: "gauge",
      name: "container_memory_working_set_bytes",
      help: "Current working set in bytes.",
    },
    (memory) => memory.workingSetBytes,
  ),
  ofMemory(
    {
      type: "gauge",
      name: "container_memory_rss",
      help: "Size of RSS in bytes.",
    },
    (memory) => memory.rssBytes,
  ),
  ofMemory(
    {
      type: "gauge",
      name: "container_memory_cache",
      help: "Number of bytes of page cache memory.",
    },
    (memory) => memory.cacheBytes,
  ),
  ofMemory(
    {
      type: "gauge",
      name: "container_memory_mapped_file",
      help: "Size of memory mapped files in bytes.",
    },
    (memory) => memory.mappedFileBytes,
  ),
  ofMemory(
    {
      type: "gauge",
      name: "container_memory_swap",
      help: "Container swap usage in bytes.",
    },
    (memory) => memory.swapBytes,
  ),
  ofMemory(
    {
      type: "gauge",
      name: "container_memory_kernel_usage",
      help: "Size of kernel memory allocated in bytes.",
    },
    (memory) => memory.kernelBytes,
  ),
  ofMemory(
    {
      type: "gauge",
      name: "container_memory_max_usage_bytes",
      help: "Maximum memory usage recorded in bytes",
    },
    (memory) => memory.maxUsageBytes,
  ),
  ofMemory(
    {
      type: "gauge",
      name: "container_memory_total_active_file_bytes",
      help: "Current total active file in bytes.",
    },
    (memory) => memory.activeFileBytes,
  ),
  ofMemory(
    {
      type: "gauge",
      name: "container_memory_total_inactive_file_bytes",
      help: "Current total inactive file in bytes.",
    },
    (memory) => memory.inactiveFileBytes,
  ),
  ofMemory(
    {
      type: "counter",
      name: "container_memory_failcnt",
      help: "Number of memory usage hits limits",
    },
    (memory) => memory.failures,
  ),
  {
    type: "counter",
    name: "container_memory_failures_total",
    help: "Cumulative count of memory allocation failures.",
    read: ({ memory }) =>
      memory === undefined ? [] : [
        failures("pgfault", "container", memory.pageFaults),
        failures("pgmajfault", "container", memory.majorPageFaults),
        failures("pgfault", "hierarchy", memory.pageFaults),
        failures("pgmajfault", "hierarchy", memory.majorPageFaults),
      ],
  },
  ofMemory(
    {
      type: "counter",
      name: "container_oom_events_total",
      help: "Count of out of memory events observed for the container",
    },
    (memory) => memory.oomKills,
  ),
  ofMemory(
    {
      type: "gauge",
      name: "container_spec_memory_limit_bytes",
      help: "Memory limit for the container.",
    },
    (memory) => memory.limitBytes ?? 0n,
  ),
  ofMemory(
    {
      type: "gauge",
      name: "container_spec_memory_reservation_limit_bytes",
      help: "Memory reservation limit for the container.",
    },
    (memory) => memory.reservedBytes,
  ),
  ofMemory(
    {
      type: "gauge",
      name: "container_spec_memory_swap_limit_bytes",
      help: "Memory swap limit for the container.",
    },
    (memory) => memory.swapLimitBytes ?? 0n,
  ),
];

function failures(type: string, scope: string, value: bigint): Reading {
  const extra = labelText([["failure_type", type], ["scope", scope]]);
  return { value, extra };
}

export const CONTAINER_FAMILIES: readonly ContainerFamily[] = [
  ...CPU,
  ...MEMORY,
  ...DISK_FAMILIES,
  ...PROCESS_FAMILIES,
  ...PRESSURE_FAMILIES,
];
