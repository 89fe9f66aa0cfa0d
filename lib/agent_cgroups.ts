/**
 * The wiring of cgroups: the tree above the pods, what the host refuses of it,
 * and which hosts the agent starts on at all.
 */
import { AgentError } from "./base/errors.ts";
import type { Reader } from "./base/cell.ts";
import { podUid } from "./api/id.ts";
import { isKernelSince } from "./api/kernel_version.ts";
import { uidOf } from "./api/pod.ts";
import type { AgentPorts } from "./agent_ports.ts";
import type { Config } from "./config/load.ts";
import { CgroupLoop, type WantedCgroups } from "./node/cgroups.ts";
import { notEnforced, podsShare } from "./node/pods_share.ts";
import { reservation } from "./node/settings.ts";
import type { NodeRecorder } from "./node/types.ts";
import type { PodSettings, RuntimeHealth } from "./pod/facts.ts";
import { podTiers, topCgroupName } from "./pod/paths.ts";
import { classCgroups, podCgroup } from "./pod/pod_cgroup.ts";
import { isResizing } from "./pod/resize_events.ts";
import type { CgroupFault, Cgroups, HostTraits } from "./port/host.ts";
import type { Desired } from "./source/types.ts";
import { othersOf } from "./sync/admission.ts";
import type { Allocations } from "./sync/allocations.ts";
import type { PodMemory, PodsReader } from "./sync/store.ts";
import { wantedBy } from "./sync/wanted.ts";

/** Compat: kubelet 1.36 CgroupV1DeprecatedWarning. */
const MEMORY_ON_DISK = "The tmpfs noswap option is not supported. " +
  "Memory-backed volumes (e.g. secrets, emptyDirs, etc.) might be swapped to " +
  "disk and should no longer be considered secure.";
const OLD_CGROUPS = "cgroup v1 detected. cgroup v1 support is deprecated and " +
  "will be removed in a future release. Please migrate to cgroup v2. More " +
  "information at " +
  "https://git.k8s.io/enhancements/keps/sig-node/5573-remove-cgroup-v1";
const NOBODY = podUid("");

/** A standalone node has nobody to tell. */
const SILENT: NodeRecorder = { record: () => {} };

export interface CgroupParts {
  readonly config: Config;
  readonly ports: AgentPorts;
  readonly settings: PodSettings;
  readonly pods: PodsReader;
  readonly allocations: Pick<Allocations, "podOf" | "isGiven" | "cgroupOf">;
  readonly healthReader: Reader<RuntimeHealth>;
  readonly desiredReader: Reader<Desired>;
  readonly audit: { readonly lastAtMs: number | undefined };
  readonly membership: { readonly nodeRecorder: NodeRecorder } | undefined;
}

export interface CgroupKeeper {
  /** Pods came or went, or look different. */
  wake(): void;
  run(signal: AbortSignal): Promise<void>;
}

/** Throws where the configuration does not want to run on this host. */
export function checkCgroups(
  { kubelet }: Pick<Config, "kubelet">,
  { cgroupVersion }: Pick<HostTraits, "cgroupVersion">,
): void {
  if (cgroupVersion === 2) return;
  if (kubelet.failCgroupV1) {
    throw new AgentError(
      "Cannot start: this host has cgroup v1, and failCgroupV1 is true. With " +
        "failCgroupV1: false the agent runs here all the same",
      { next: "give-up" },
    );
  }
  if (kubelet.singleProcessOOMKill === false) {
    throw new AgentError(
      "Cannot start: singleProcessOOMKill must not be false on a host with " +
        "cgroup v1",
      { next: "give-up" },
    );
  }
}

/** Ends at once where the agent keeps no cgroups. */
export function createCgroupLoop(parts: CgroupParts): CgroupKeeper {
  const { config, ports, settings, healthReader, desiredReader } = parts;
  const { log } = ports;
  const recorder = parts.membership?.nodeRecorder ?? SILENT;
  const wanted = () => wantedOf(parts);
  const loop = new CgroupLoop({ ...ports, recorder, wanted });
  const rest = notEnforced(config.kubelet.enforceNodeAllocatable);
  return {
    wake: () => loop.wake(),
    async run(signal) {
      if (settings.machine.cgroupVersion === 1) {
        recorder.record({
          type: "Warning",
          reason: "CgroupV1",
          message: OLD_CGROUPS,
        });
      }
      const { swapBytes, kernelVersion } = settings.machine;
      // Compat: kubelet 1.36 IsTmpfsNoswapOptionSupported, by its release.
      if (swapBytes > 0n && !isKernelSince(kernelVersion, 6, 4)) {
        recorder.record({
          type: "Warning",
          reason: "PossibleMemoryBackedVolumesOnDisk",
          message: MEMORY_ON_DISK,
        });
      }
      if (!settings.usesQosCgroups) return;
      if (rest.length > 0) log.warn("Not enforced yet", { cgroups: rest });
      const follow = async (cell: Reader<unknown>) => {
        for await (const _ of cell.changes(signal)) loop.wake();
      };
      await Promise.all([
        loop.run(signal),
        follow(healthReader),
        follow(desiredReader),
      ]);
    },
  };
}

/**
 * Says what the host refuses once for each thing, not for each pod, and counts
 * how long the kernel takes.
 */
export function tellingCgroups(
  { cgroups, log, clock, meters }: Pick<
    AgentPorts,
    "cgroups" | "log" | "clock" | "meters"
  >,
): Cgroups {
  const told = new Set<string>();
  const timed = async <T>(operation_type: string, work: Promise<T>) => {
    const sinceMs = clock.monotonicMs();
    try {
      return await work;
    } finally {
      const seconds = (clock.monotonicMs() - sinceMs) / 1000;
      meters.cgroupSeconds.observe({ operation_type }, seconds);
    }
  };
  return {
    removePod: (path) => timed("destroy", cgroups.removePod(path)),
    childrenOf: (path) => cgroups.childrenOf(path),
    async apply(path, values, ifMissing): Promise<readonly CgroupFault[]> {
      const operation = ifMissing === "make" ? "create" : "update";
      const work = cgroups.apply(path, values, ifMissing);
      const faults = await timed(operation, work);
      for (const { kind, message } of faults) {
        if (told.has(`${kind} ${message}`)) continue;
        told.add(`${kind} ${message}`);
        log.warn("A cgroup does not get all its values", { path, message });
      }
      return faults;
    },
  };
}

/** Undefined until the runtime has said which driver names the cgroups. */
async function wantedOf(
  parts: CgroupParts,
): Promise<WantedCgroups | undefined> {
  const { config, ports, settings, pods, healthReader, allocations } = parts;
  const { isReady, cgroupDriver } = healthReader.get();
  if (!isReady) return undefined;
  const own = cgroupDriver === undefined
    ? settings
    : { ...settings, cgroupDriver };
  const desired = parts.desiredReader.get();
  const active = othersOf(
    NOBODY,
    pods,
    wantedBy(parts.desiredReader, allocations),
  );
  // A sum over the pods that happen to be known would starve the others.
  const areAllKnown = desired.isReady && desired.unread.length === 0 &&
    parts.audit.lastAtMs !== undefined;
  const { limit } = await ports.usage.processes();
  const values = podsShare({
    machine: await ports.cluster.machine.facts(),
    mostProcesses: limit,
    reservation: reservation(config),
    enforced: config.kubelet.enforceNodeAllocatable,
  });
  return {
    top: {
      name: topCgroupName(own),
      path: podTiers(own).all,
      values,
    },
    classes: areAllKnown ? classCgroups(own, active) : [],
    pods: active.filter((pod) =>
      allocations.cgroupOf(uidOf(pod)) !== "stale" &&
      maySet(pods.get(uidOf(pod)))
    ).flatMap((pod) => podCgroup(own, pod) ?? []),
  };
}

/**
 * Only now may the runtime have set a new one back to its own idea. While a
 * pod is resized, its passes set it, before or after its containers.
 */
function maySet(memory: PodMemory | undefined): boolean {
  if (memory === undefined || memory.observed.sandboxes.length === 0) {
    return false;
  }
  return memory.status === undefined || !isResizing(memory.status);
}
