/**
 * Frees what the node itself can do without, before a pod has to go: dead
 * containers of pods that have ended, and images that nobody uses.
 * Compat: kubelet 1.36 reclaimNodeLevelResources,
 * buildSignalToNodeReclaimFuncs.
 */
import type { Signal } from "../api/eviction_signal.ts";
import { chainOf, isAbort } from "../base/errors.ts";
import { isMet } from "./decide.ts";
import { judge } from "./measure.ts";
import { observe, type ObservePorts, type ObserveSettings } from "./observe.ts";
import { resourceOf } from "./thresholds.ts";
import type { DiskLayout, Threshold } from "./types.ts";

export interface ReclaimPorts extends ObservePorts {
  readonly removeDeadContainers: (signal: AbortSignal) => Promise<void>;
  readonly removeUnusedImages: (signal: AbortSignal) => Promise<void>;
}

export type Reclaim = "containers" | "images";

/** In this order. Nothing but the disk can be freed like this. */
export function reclaims(signal: Signal, layout: DiskLayout): Reclaim[] {
  const resource = resourceOf(signal);
  if (resource === "memory" || resource === "pids") return [];
  const isOfNode = signal.startsWith("nodefs.");
  switch (layout) {
    case "one":
      return ["containers", "images"];
    case "apart":
      return isOfNode ? [] : ["containers", "images"];
    case "split":
      return signal.startsWith("imagefs.") ? ["images"] : ["containers"];
  }
}

/** True when enough is free of everything, and no pod has to go. */
export async function reclaim(
  ports: ReclaimPorts,
  { first, all, layout, ...settings }: ObserveSettings & {
    readonly first: Threshold;
    readonly all: readonly Threshold[];
    readonly layout: DiskLayout;
  },
  signal: AbortSignal,
): Promise<boolean> {
  const ways = reclaims(first.signal, layout);
  if (ways.length === 0) return false;
  for (const way of ways) {
    try {
      await (way === "containers"
        ? ports.removeDeadContainers(signal)
        : ports.removeUnusedImages(signal));
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      ports.log.warn(`Cannot free the disk of unused ${way}`, {
        error: chainOf(error),
      });
    }
  }
  const scope = "everything";
  const measured = await observe(ports, { ...settings, scope }, signal);
  const { observations } = judge(measured, ports.clock.nowMs());
  const isEnough = all.every((each) => !isMet(each, observations, "reclaim"));
  if (isEnough) {
    ports.log.info("Freed enough of the disk without evicting a pod", {
      signal: first.signal,
    });
  }
  return isEnough;
}
