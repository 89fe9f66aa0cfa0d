/** What of the configuration is about container logs. */
import type { Config } from "../config/load.ts";
import { parseQuantity, units } from "../api/quantity.ts";

/** When container logs are rotated, and what stays of them. */
export function rotationOptions({ kubelet }: Config) {
  const size = parseQuantity(kubelet.containerLogMaxSize);
  return {
    mostBytes: size === undefined ? -1 : Number(units(size)),
    mostFiles: kubelet.containerLogMaxFiles,
    workers: kubelet.containerLogMaxWorkers,
    intervalMs: kubelet.containerLogMonitorInterval,
  };
}
