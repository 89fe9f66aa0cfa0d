/** What of the configuration the node's registration and status need. */
import { parseQuantity, type Quantity } from "../api/quantity.ts";
import type { Config } from "../config/load.ts";
import { cpusIn, percentage } from "../config/text_rules.ts";
import { whole } from "./amount.ts";
import type { NodeSettings, Reservation, Threshold } from "./types.ts";

/** The eviction signals that keep something from pods, and what they keep. */
const KEPT_BY_SIGNAL: ReadonlyMap<string, string> = new Map([
  ["memory.available", "memory"],
  ["nodefs.available", "ephemeral-storage"],
]);

/** `kubeletVersion` is a Kubernetes version: `v1.36.3`. */
export function nodeSettings(
  config: Config,
  kubeletVersion: string,
): NodeSettings {
  const { kubelet, flags, nodeName, nodeIps, paths } = config;
  return {
    nodeName,
    nodeIps,
    isCloudExternal: flags.cloudProvider === "external",
    mayRegister: kubelet.registerNode,
    labels: flags.nodeLabels,
    taints: kubelet.registerWithTaints.map(({ key, value, effect }) => ({
      key,
      value,
      effect,
    })),
    providerId: kubelet.providerID,
    leavesAttachToController: kubelet.enableControllerAttachDetach,
    maxPods: kubelet.maxPods,
    podsPerCore: kubelet.podsPerCore,
    reservation: reservation(config),
    isStorageIsolated: kubelet.localStorageCapacityIsolation,
    rootDir: paths.rootDir,
    maxImages: kubelet.nodeStatusMaxImages,
    port: kubelet.port,
    kubeletVersion,
    statusUpdateMs: kubelet.nodeStatusUpdateFrequency,
    statusReportMs: kubelet.nodeStatusReportFrequency,
    leaseDurationSeconds: kubelet.nodeLeaseDurationSeconds,
    // Compat: kubelet 1.36, the heartbeat client's timeout.
    heartbeatMs: Math.min(
      kubelet.nodeStatusUpdateFrequency,
      kubelet.nodeLeaseDurationSeconds * 1000,
    ),
  };
}

/**
 * What is kept back. Processors named one by one replace both cpu amounts.
 * Compat: kubelet 1.36 server.run, NewContainerManager.
 */
export function reservation(
  { kubelet, flags }: Pick<Config, "kubelet" | "flags">,
): Reservation {
  const system = quantities(kubelet.systemReserved);
  const kube = quantities(kubelet.kubeReserved);
  const cpus = new Set(cpusIn(kubelet.reservedSystemCPUs));
  if (cpus.size > 0) {
    system.set("cpu", whole(BigInt(cpus.size)));
    kube.delete("cpu");
  }
  return {
    system,
    kube,
    eviction: flags.experimentalAllocatableIgnoreEviction
      ? new Map()
      : thresholds(kubelet.evictionHard),
  };
}

function quantities(
  texts: ReadonlyMap<string, string>,
): Map<string, Quantity> {
  return new Map(
    [...texts].flatMap(([name, text]) => {
      const quantity = parseQuantity(text);
      return quantity === undefined ? [] : [[name, quantity] as const];
    }),
  );
}

/** Compat: kubelet 1.36 parseThresholdStatement; 0% and 100% are no threshold. */
function thresholds(
  evictionHard: ReadonlyMap<string, string>,
): ReadonlyMap<string, Threshold> {
  const found = new Map<string, Threshold>();
  for (const [signal, text] of evictionHard) {
    const name = KEPT_BY_SIGNAL.get(signal);
    if (name === undefined) continue;
    const percent = percentage(text);
    const quantity = parseQuantity(text);
    if (percent !== undefined) {
      if (text === "0%" || text === "100%") continue;
      found.set(name, { kind: "share", percent });
    } else if (quantity !== undefined) {
      found.set(name, { kind: "amount", quantity });
    }
  }
  return found;
}
