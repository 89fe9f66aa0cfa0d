/**
 * At which use of memory a threshold is met, for the kernel to tell: it counts
 * file pages in that it could drop, so they are added as they are now. Pure.
 * Compat: kubelet 1.36 memoryThresholdNotifier.UpdateThreshold.
 */
import type { MemoryMark } from "../port/kernel.ts";
import type { CgroupUse } from "../port/usage.ts";
import { type Measured, memoryOf } from "./measure.ts";
import { quantityOf, resourceOf } from "./thresholds.ts";
import type { Threshold } from "./types.ts";

const NANO = 1_000_000_000n;

export function memoryMarks(
  thresholds: readonly Threshold[],
  { node, allPods, allPodsPath, memoryBytes }: Measured,
): MemoryMark[] {
  return thresholds.flatMap((threshold) => {
    if (resourceOf(threshold.signal) !== "memory") return [];
    const isOfNode = threshold.signal === "memory.available";
    const [use, cgroup] = isOfNode ? [node, "/"] : [allPods, allPodsPath];
    const usageBytes = markOf(threshold, use, memoryBytes);
    return usageBytes === undefined ? [] : [{ cgroup, usageBytes }];
  });
}

function markOf(
  { value }: Threshold,
  use: CgroupUse | undefined,
  machineBytes: bigint,
): bigint | undefined {
  const found = memoryOf(use, machineBytes);
  if (use?.memory === undefined || found === undefined) return undefined;
  const { usageBytes, workingSetBytes } = use.memory;
  const droppable = usageBytes - workingSetBytes;
  const mark = found.capacity + droppable -
    quantityOf(value, found.capacity) / NANO;
  return mark <= 0n ? undefined : mark;
}
