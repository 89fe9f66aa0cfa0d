/**
 * `/stats/summary`: node and pods in one JSON object. Pure; its text is made
 * pod by pod, so that a big one holds up nobody. Field names are
 * those of k8s.io/kubelet/pkg/apis/stats/v1alpha1.
 * Compat: kubelet 1.36 server/stats/summary.go, stats/helper.go. What could
 * not be measured is left out, never 0.
 */
import { without } from "../base/saturate.ts";
import type {
  CgroupUse,
  InterfaceCounts,
  Pressure,
  PressureLine,
} from "../port/usage.ts";
import { type Json, jsonText } from "./json_text.ts";
import { podDisks } from "./summary_disks.ts";
import { filesystem, time } from "./summary_parts.ts";
import type {
  ContainerFigures,
  Disk,
  DiskFigures,
  Figures,
  PodFigures,
  Sample,
} from "./types.ts";

/** Compat: kubelet 1.36 defaultNetworkInterfaceName. */
const DEFAULT_INTERFACE = "eth0";

export interface SummaryNode {
  readonly nodeName: string;
  /** When the machine was started. */
  readonly startedAtMs: number;
  /** The agent's own cgroup and the runtime's, where they are known. */
  readonly system: readonly {
    readonly name: string;
    readonly sample: Sample;
  }[];
  readonly memoryBytes: bigint;
  readonly swapBytes: bigint;
}

/** `disks` undefined: processor and memory only. */
export function* summaryTexts(
  node: SummaryNode,
  figures: Figures,
  disks: DiskFigures | undefined,
): Generator<string> {
  yield `{"node":${jsonText(nodeStats(node, figures, disks))},"pods":[`;
  let comma = "";
  for (const pod of figures.pods) {
    yield comma + jsonText(podStats(pod, disks));
    comma = ",";
  }
  yield "]}\n";
}

function nodeStats(
  { nodeName, startedAtMs, system, ...machine }: SummaryNode,
  figures: Figures,
  disks: DiskFigures | undefined,
): Json {
  const { node, nodeNetwork, allPods } = figures;
  const pods = allPods === undefined ? [] : [{ name: "pods", sample: allPods }];
  return {
    nodeName,
    systemContainers: [...system, ...pods].map(({ name, sample }) => ({
      name,
      startTime: time(startedAtMs),
      ...shared(sample, { memoryBytes: machine.memoryBytes }),
    })),
    startTime: time(startedAtMs),
    ...shared(node, machine),
    ...disks === undefined ? {} : {
      network: network(nodeNetwork, node.use.atMs),
      fs: disks.root && filesystem(disks.root, disks.atMs),
      runtime: {
        imageFs: disks.image && diskOf(disks.image),
        containerFs: disks.containers && diskOf(disks.containers),
      },
      rlimit: {
        time: time(disks.atMs),
        maxpid: disks.processes.limit,
        curproc: disks.processes.count,
      },
    },
  };
}

function podStats(
  figures: PodFigures,
  disks: DiskFigures | undefined,
): Json {
  const { pod, whole, containers } = figures;
  const startedAt = pod.startTime;
  return {
    podRef: { name: pod.name, namespace: pod.namespace, uid: pod.uid },
    startTime: startedAt,
    containers: containers.map((each) => containerStats(each, disks)),
    ...whole === undefined ? {} : shared(whole, {}),
    ...disks === undefined ? {} : {
      network: figures.network &&
        network(figures.network, figures.sandbox?.use.atMs ?? disks.atMs),
      ...podDisks(figures, disks),
      process_stats: { process_count: processes(figures) },
    },
  };
}

function containerStats(
  figures: ContainerFigures,
  disks: DiskFigures | undefined,
): Json {
  const { container } = figures;
  const layer = disks?.layers.get(container.id);
  const logs = disks?.logs.get(container.id);
  return {
    name: container.name,
    startTime: time(container.startedAtMs),
    ...shared(figures, {}),
    rootfs: layer && {
      ...disks?.containers && filesystem(disks.containers.whole, layer.atMs),
      time: time(layer.atMs),
      usedBytes: layer.usedBytes,
      inodesUsed: layer.inodesUsed,
    },
    logs: logs && {
      ...disks?.root && filesystem(disks.root, logs.atMs),
      time: time(logs.atMs),
      usedBytes: logs.usedBytes,
      inodesUsed: logs.inodes,
    },
  };
}

/**
 * CPU, memory, swap and stalls of one cgroup. `limits`: where it has none of
 * its own.
 */
function shared(
  { use, nanoCores }: Sample,
  limits: Partial<Pick<SummaryNode, "memoryBytes" | "swapBytes">>,
): Record<string, Json> {
  const { atMs, cpu, memory, pressure } = use;
  const swapLimit = memory?.swapLimitBytes ?? limits.swapBytes;
  return {
    cpu: cpu && {
      time: time(atMs),
      usageNanoCores: nanoCores,
      usageCoreNanoSeconds: cpu.usageNs,
      psi: psi(pressure.cpu),
    },
    memory: memory && memoryStats(use, limits.memoryBytes),
    io: pressure.io && { time: time(atMs), psi: psi(pressure.io) },
    swap: memory && {
      time: time(atMs),
      swapAvailableBytes: swapLimit === undefined
        ? undefined
        : without(swapLimit, memory.swapBytes),
      swapUsageBytes: memory.swapBytes,
    },
  };
}

function memoryStats(
  { atMs, memory, pressure }: CgroupUse,
  machineBytes: bigint | undefined,
): Json {
  if (memory === undefined) return undefined;
  const limit = memory.limitBytes ?? machineBytes;
  return {
    time: time(atMs),
    availableBytes: limit === undefined
      ? undefined
      : without(limit, memory.workingSetBytes),
    usageBytes: memory.usageBytes,
    workingSetBytes: memory.workingSetBytes,
    rssBytes: memory.rssBytes,
    pageFaults: memory.pageFaults,
    majorPageFaults: memory.majorPageFaults,
    psi: psi(pressure.memory),
  };
}

function psi(pressure: Pressure | undefined): Json {
  if (pressure === undefined) return undefined;
  return { full: stall(pressure.full), some: stall(pressure.some) };
}

/** Compat: the total is told in nanoseconds, whatever the kernel's unit. */
function stall({ totalUs, avg10, avg60, avg300 }: PressureLine): Json {
  return { total: totalUs * 1000n, avg10, avg60, avg300 };
}

function network(
  interfaces: readonly InterfaceCounts[],
  atMs: number,
): Json {
  const all = interfaces.map((each) => ({
    name: each.name,
    rxBytes: each.receivedBytes,
    rxErrors: each.receivedErrors,
    txBytes: each.sentBytes,
    txErrors: each.sentErrors,
  }));
  const main = all.find(({ name }) => name === DEFAULT_INTERFACE);
  return { time: time(atMs), ...main ?? { name: "" }, interfaces: all };
}

/** The file system's size, and what of it is the runtime's. */
function diskOf({ whole, own }: Disk): Json {
  return {
    ...filesystem(whole, own.atMs),
    usedBytes: own.usedBytes,
    inodesUsed: own.inodesUsed,
  };
}

function processes({ whole, sandbox, containers }: PodFigures): bigint {
  const parts = [...sandbox === undefined ? [] : [sandbox], ...containers];
  const sum = parts.reduce((sum, { use }) => sum + (use.processes ?? 0n), 0n);
  return whole?.use.processes ?? sum;
}
