/** The shapes of CRI messages about usage; see `wire.ts` for the rules. */
import type {
  Int64,
  Int64Value,
  PodSandboxMetadata,
  StringMap,
} from "./wire.ts";
import type { ContainerMetadata } from "./wire_container.ts";

export interface PsiData {
  readonly Total: Int64;
  readonly Avg10: number;
  readonly Avg60: number;
  readonly Avg300: number;
}

export interface PsiStats {
  readonly Full: PsiData | null;
  readonly Some: PsiData | null;
}

export interface CpuUsage {
  readonly timestamp: Int64;
  readonly usageCoreNanoSeconds: Int64Value | null;
  readonly usageNanoCores: Int64Value | null;
  readonly psi: PsiStats | null;
}

export interface MemoryUsage {
  readonly timestamp: Int64;
  readonly workingSetBytes: Int64Value | null;
  readonly availableBytes: Int64Value | null;
  readonly usageBytes: Int64Value | null;
  readonly rssBytes: Int64Value | null;
  readonly pageFaults: Int64Value | null;
  readonly majorPageFaults: Int64Value | null;
  readonly psi: PsiStats | null;
}

export interface SwapUsage {
  readonly timestamp: Int64;
  readonly swapAvailableBytes: Int64Value | null;
  readonly swapUsageBytes: Int64Value | null;
}

export interface IoUsage {
  readonly timestamp: Int64;
  readonly psi: PsiStats | null;
}

export interface FilesystemUsage {
  readonly timestamp: Int64;
  readonly fsId: { readonly mountpoint: string } | null;
  readonly usedBytes: Int64Value | null;
  readonly inodesUsed: Int64Value | null;
}

export interface ImageFsInfoResponse {
  readonly imageFilesystems: readonly FilesystemUsage[];
  readonly containerFilesystems: readonly FilesystemUsage[];
}

export interface ContainerStats {
  readonly attributes: {
    readonly id: string;
    readonly metadata: ContainerMetadata | null;
    readonly labels: StringMap;
    readonly annotations: StringMap;
  } | null;
  readonly cpu: CpuUsage | null;
  readonly memory: MemoryUsage | null;
  readonly writableLayer: FilesystemUsage | null;
  readonly swap: SwapUsage | null;
  readonly io: IoUsage | null;
}

export interface ContainerStatsFilter {
  readonly id?: string;
  readonly podSandboxId?: string;
  readonly labelSelector?: StringMap;
}

export interface PodSandboxStatsFilter {
  readonly id?: string;
  readonly labelSelector?: StringMap;
}

export interface NetworkInterfaceUsage {
  readonly name: string;
  readonly rxBytes: Int64Value | null;
  readonly rxErrors: Int64Value | null;
  readonly txBytes: Int64Value | null;
  readonly txErrors: Int64Value | null;
}

export interface PodSandboxStats {
  readonly attributes: {
    readonly id: string;
    readonly metadata: PodSandboxMetadata | null;
    readonly labels: StringMap;
    readonly annotations: StringMap;
  } | null;
  readonly linux: {
    readonly cpu: CpuUsage | null;
    readonly memory: MemoryUsage | null;
    readonly network: {
      readonly timestamp: Int64;
      readonly defaultInterface: NetworkInterfaceUsage | null;
      readonly interfaces: readonly NetworkInterfaceUsage[];
    } | null;
    readonly process: {
      readonly timestamp: Int64;
      readonly processCount: Int64Value | null;
    } | null;
    readonly containers: readonly ContainerStats[];
    readonly io: IoUsage | null;
  } | null;
}

export interface MetricDescriptor {
  readonly name: string;
  readonly help: string;
  readonly labelKeys: readonly string[];
}

export interface Metric {
  readonly name: string;
  readonly timestamp: Int64;
  readonly metricType: number;
  readonly labelValues: readonly string[];
  readonly value: Int64Value | null;
}

export interface PodSandboxMetrics {
  readonly podSandboxId: string;
  readonly metrics: readonly Metric[];
  readonly containerMetrics: readonly {
    readonly containerId: string;
    readonly metrics: readonly Metric[];
  }[];
}
