/**
 * What a container and a sandbox are told of the resources they have: shares,
 * quotas, limits, swap, and how soon the kernel ends them.
 * Compat: kubelet 1.36 generateLinuxContainerResources,
 * configureContainerSwapResources, applySandboxResources.
 */
import { oomScoreAdj } from "../api/oom_score.ts";
import { isCritical } from "../api/priority.ts";
import { amountOf, qosClass } from "../api/qos.ts";
import { units } from "../api/quantity.ts";
import {
  type CpuAndMemory,
  cpuAndMemory,
  hugePageLimits,
  overheadCpuAndMemory,
  podCpuAndMemory,
} from "../api/resources.ts";
import type { V1Container, V1Pod } from "../api/types.ts";
import type { LinuxResources, SandboxSpec } from "../port/runtime_spec.ts";
import type { PodSettings } from "./facts.ts";
import { containerMemoryFiles } from "./memory_qos.ts";

const MOST_SWAP = "memory.swap.max";

export function containerResources(
  settings: PodSettings,
  pod: V1Pod,
  container: V1Container,
): LinuxResources {
  const { machine, cpuPeriodUs, memoryBytes } = settings;
  const amounts = cpuAndMemory(pod, container, cpuPeriodUs);
  const swap = swapBytes(settings, pod, container);
  const isOne = machine.cgroupVersion === 2;
  return {
    ...linux(settings, amounts),
    oomScoreAdj: oomScoreAdj(pod, container, memoryBytes),
    hugepageLimits: hugePageLimits(pod, container, machine.hugePageSizes),
    unified: new Map([
      ...groupKill(settings),
      ...machine.hasSwapLimits && isOne
        ? [[MOST_SWAP, String(swap)] as const]
        : [],
      ...containerMemoryFiles(settings, pod, container),
    ]),
    // Memory and swap together: no more than memory alone.
    memorySwapLimitBytes: machine.hasSwapLimits && !isOne
      ? amounts.memoryLimitBytes
      : 0n,
  };
}

export function sandboxResources(
  settings: PodSettings,
  pod: V1Pod,
): Pick<SandboxSpec, "resources" | "overhead"> {
  const { cpuPeriodUs } = settings;
  const overhead = overheadCpuAndMemory(pod, cpuPeriodUs);
  return {
    resources: linux(settings, podCpuAndMemory(pod, cpuPeriodUs)),
    ...overhead === undefined ? {} : { overhead: linux(settings, overhead) },
  };
}

function linux(settings: PodSettings, amounts: CpuAndMemory): LinuxResources {
  return {
    ...amounts,
    oomScoreAdj: 0n,
    cpusetCpus: "",
    cpusetMems: "",
    hugepageLimits: [],
    unified: groupKill(settings),
    memorySwapLimitBytes: 0n,
  };
}

/** Out of memory, all processes of a container end together. */
function groupKill(
  { machine, endsSingleProcess }: PodSettings,
): ReadonlyMap<string, string> {
  return machine.cgroupVersion === 2 && !endsSingleProcess
    ? new Map([["memory.oom.group", "1"]])
    : new Map();
}

/** Compat: kubelet 1.36 GetContainerSwapBehavior. */
export function mayUseSwap(
  settings: PodSettings,
  pod: V1Pod,
  { resources }: Pick<V1Container, "resources">,
): boolean {
  const { machine } = settings;
  const isSharing = settings.mayUseSwap && machine.hasSwapLimits &&
    machine.cgroupVersion === 2;
  if (!isSharing || isCritical(pod) || qosClass(pod) !== "Burstable") {
    return false;
  }
  const request = amountOf(resources?.requests, "memory") ?? 0n;
  const limit = amountOf(resources?.limits, "memory") ?? 0n;
  return request !== limit;
}

/**
 * A burstable container's part of the node's swap, as its memory request is a
 * part of the node's memory. Compat: kubelet 1.36 calcSwapForBurstablePods.
 */
function swapBytes(
  settings: PodSettings,
  pod: V1Pod,
  container: V1Container,
): bigint {
  const { machine, memoryBytes } = settings;
  if (!mayUseSwap(settings, pod, container) || memoryBytes <= 0n) return 0n;
  const { resources } = container;
  const bytes = units(amountOf(resources?.requests, "memory") ?? 0n);
  if (bytes > memoryBytes) return 0n;
  // Compat: a proportion in floating point, cut to whole bytes.
  const share = Number(bytes) / Number(memoryBytes);
  return BigInt(Math.trunc(share * Number(machine.swapBytes)));
}
