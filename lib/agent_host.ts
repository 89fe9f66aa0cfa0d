/**
 * The wiring of what this machine has to be like, what its admin should hear
 * of it, and the agent's own process on it.
 */
import { AgentError } from "./base/errors.ts";
import type { AgentPorts } from "./agent_ports.ts";
import type { Config } from "./config/load.ts";
import { cpusIn } from "./config/text_rules.ts";
import { PlaceLoop } from "./node/own_place.ts";
import type { NodeRecorder } from "./node/types.ts";
import type { HostTraits } from "./port/host.ts";
import type { LoopView } from "./server/view.ts";

/** Compat: kubelet 1.36 CgroupV1DeprecatedWarning. */
const OLD_CGROUPS = "cgroup v1 detected. cgroup v1 support is deprecated and " +
  "will be removed in a future release. Please migrate to cgroup v2. More " +
  "information at " +
  "https://git.k8s.io/enhancements/keps/sig-node/5573-remove-cgroup-v1";
/** Compat: kubelet 1.36 NewContainerManager. */
const SECRETS_IN_SWAP = "The tmpfs noswap option is not supported. " +
  "Memory-backed volumes (e.g. secrets, emptyDirs, etc.) might be swapped to " +
  "disk and should no longer be considered secure.";

/**
 * Throws where the configuration does not want to run on this host.
 * Compat: kubelet 1.36 run, getReservedCPUs, NewContainerManager.
 */
export function checkHost(
  { kubelet }: Pick<Config, "kubelet">,
  { cgroupVersion, swapBytes, onlineCpus }: Pick<
    HostTraits,
    "cgroupVersion" | "swapBytes" | "onlineCpus"
  >,
): void {
  const isOld = cgroupVersion === 1;
  const { reservedSystemCPUs: reserved } = kubelet;
  const obstacles: [boolean, string][] = [
    [
      isOld && kubelet.failCgroupV1,
      "this host has cgroup v1, and failCgroupV1 is true. With " +
      "failCgroupV1: false the agent runs here all the same",
    ],
    [
      isOld && kubelet.singleProcessOOMKill === false,
      "singleProcessOOMKill must not be false on a host with cgroup v1",
    ],
    [
      isOld && kubelet.memorySwap.swapBehavior === "LimitedSwap",
      "memorySwap.swapBehavior: LimitedSwap needs cgroup v2, and this host " +
      "has v1; NoSwap is allowed",
    ],
    [
      swapBytes > 0n && kubelet.failSwapOn,
      "swap is on, and failSwapOn is true. Switch swap off, or set " +
      "failSwapOn: false (--fail-swap-on=false)",
    ],
    [
      !areOn(reserved, onlineCpus),
      `reservedSystemCPUs: ${reserved} is not a subset of the processors ` +
      `that are on, which are ${onlineCpus}`,
    ],
  ];
  const obstacle = obstacles.find(([isThere]) => isThere)?.[1];
  if (obstacle === undefined) return;
  throw new AgentError(`Cannot start: ${obstacle}`, { next: "give-up" });
}

/** Nobody counts on to the end of a list that names more than there is. */
function areOn(cpus: string, onlineCpus: string): boolean {
  const on = new Set(cpusIn(onlineCpus));
  for (const cpu of cpusIn(cpus)) if (!on.has(cpu)) return false;
  return true;
}

/** What the admin of the node is told about it when the agent starts. */
export function tellOfHost(
  { cgroupVersion, swapBytes, hasNoSwapTmpfs }: HostTraits,
  recorder: NodeRecorder,
): void {
  const warn = (reason: string, message: string) =>
    recorder.record({ type: "Warning", reason, message });
  if (cgroupVersion === 1) warn("CgroupV1", OLD_CGROUPS);
  if (swapBytes > 0n && !hasNoSwapTmpfs) {
    warn("PossibleMemoryBackedVolumesOnDisk", SECRETS_IN_SWAP);
  }
}

export function createPlaceLoop(
  { config: { kubelet }, ports }: {
    readonly config: Config;
    readonly ports: AgentPorts;
  },
): PlaceLoop {
  return new PlaceLoop(ports, {
    ownCgroup: kubelet.kubeletCgroups,
    systemCgroup: kubelet.systemCgroups,
    oomScoreAdj: kubelet.oomScoreAdj,
  });
}

/** For `denolet explain`. */
export function placeView({ failures }: PlaceLoop): LoopView {
  return {
    name: "own process",
    detail: failures.length === 0
      ? "is kept as configured"
      : `is not all as configured: ${failures.join("; ")}`,
    lastAtMs: undefined,
    nextAtMs: undefined,
  };
}
