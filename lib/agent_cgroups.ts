/**
 * The wiring of cgroups: the tree above the pods, what is reserved beside it,
 * and what the host refuses of both.
 */
import { type Reader, until } from "./base/cell.ts";
import { chainOf, isAbort } from "./base/errors.ts";
import { within } from "./base/wait.ts";
import { cgroupPath, partsOf, printedName } from "./api/cgroup_name.ts";
import { type PodUid, podUid } from "./api/id.ts";
import { uidOf } from "./api/pod.ts";
import type { V1Pod } from "./api/types.ts";
import { createPlaceLoop, placeView, tellOfHost } from "./agent_host.ts";
import type { AgentPorts } from "./agent_ports.ts";
import type { Config } from "./config/load.ts";
import {
  CgroupLoop,
  missingPaths,
  type WantedCgroups,
} from "./node/cgroups.ts";
import { settleKernel } from "./node/kernel_settings.ts";
import { podsShare } from "./node/pods_share.ts";
import { overReserved, reservedCgroups } from "./node/reserved.ts";
import { reservation } from "./node/settings.ts";
import type { NodeRecorder } from "./node/types.ts";
import type { PodSettings, RuntimeHealth } from "./pod/facts.ts";
import { allPodsProtection, protectedBytes } from "./pod/memory_qos.ts";
import { topCgroup } from "./pod/paths.ts";
import { classCgroups, podCgroup } from "./pod/pod_cgroup.ts";
import { isResizing } from "./pod/resize_events.ts";
import type { CgroupValues } from "./port/cgroups.ts";
import type { LoopView } from "./server/view.ts";
import type { Desired } from "./source/types.ts";
import { holderOf, othersOf } from "./sync/admission.ts";
import type { Allocations } from "./sync/allocations.ts";
import type { PodMemory, PodsReader } from "./sync/store.ts";
import { wantedBy } from "./sync/wanted.ts";

const LOOK_LIMIT_MS = 10_000;
/** Of runtimes that do not tell their cgroup driver. */
const SUPPORT_ENDS = "1.37.0";
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
  /** For `denolet explain`. */
  views(): readonly LoopView[];
  run(signal: AbortSignal): Promise<void>;
}

export function createCgroupLoop(parts: CgroupParts): CgroupKeeper {
  const { ports, settings, healthReader, desiredReader } = parts;
  const recorder = parts.membership?.nodeRecorder ?? SILENT;
  const loop = new CgroupLoop({
    ...ports,
    recorder,
    wanted: () => wantedOf(parts),
    obstacle: (signal) => obstacleOf(parts, signal),
  });
  const place = createPlaceLoop(parts);
  const memory = [ports.meters.memoryQosMin, ports.meters.memoryQosLow];
  // Compat: with the gate MemoryQoS only.
  if (!parts.config.features.MemoryQoS) {
    for (const gauge of memory) gauge.remove({});
  }
  return {
    wake: () => loop.wake(),
    views: () => [cgroupView(parts, loop), placeView(place)],
    async run(signal) {
      tellOfHost(settings.machine, recorder);
      const follow = async (cell: Reader<unknown>) => {
        for await (const _ of cell.changes(signal)) loop.wake();
      };
      await Promise.all([
        loop.run(signal),
        place.run(signal),
        tellDriver(parts, signal),
        follow(healthReader),
        follow(desiredReader),
      ]);
    },
  };
}

/** Compat: kubelet 1.36 getCgroupDriverFromCRI. */
async function tellDriver(
  { healthReader, settings, ports: { log, meters } }: CgroupParts,
  signal: AbortSignal,
): Promise<void> {
  await until(healthReader, ({ isReady }) => isReady, signal);
  const { cgroupDriver } = healthReader.get();
  if (cgroupDriver !== undefined) {
    log.info("The runtime has named its cgroup driver", { cgroupDriver });
    return;
  }
  meters.losingSupport.set({ version: SUPPORT_ENDS }, 1);
  const { cgroupDriver: configured } = settings;
  log.info("The runtime does not name its cgroup driver", { configured });
}

function cgroupView(
  { settings }: CgroupParts,
  { failures, hasBegun }: CgroupLoop,
): LoopView {
  return {
    name: "cgroups",
    detail: !hasBegun
      ? "are made when the runtime is ready"
      : failures.length > 0
      ? `cannot set: ${failures.join("; ")}`
      : settings.usesQosCgroups
      ? "have what pods and classes may use"
      : "of pods are the runtime's (cgroupsPerQOS: false)",
    lastAtMs: undefined,
    nextAtMs: undefined,
  };
}

/** Compat: the runtime's cgroup driver wins over the configured one. */
function settingsOf({ settings, healthReader }: CgroupParts): PodSettings {
  const { cgroupDriver = settings.cgroupDriver } = healthReader.get();
  return { ...settings, cgroupDriver };
}

/** Compat: kubelet 1.36 validateNodeAllocatable, NewContainerManager. */
async function obstacleOf(
  parts: CgroupParts,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { config, ports: { cluster: { machine }, cgroups } } = parts;
  const rootBytes = await rootBytesOf(parts, signal);
  const facts = await machine.facts();
  const tooMuch = overReserved(reservation(config), facts, rootBytes);
  if (tooMuch !== undefined) return tooMuch;
  const { protectKernelDefaults } = config.kubelet;
  const ifOther = protectKernelDefaults ? "refuse" : "change";
  const differs = await settleKernel(parts.ports, ifOther);
  if (differs !== undefined) return differs;
  const settings = settingsOf(parts);
  if (!settings.usesQosCgroups) return undefined;
  const root = partsOf(settings.cgroupRoot);
  const path = cgroupPath(root, settings.cgroupDriver);
  const { paths } = await cgroups.lackOf(path);
  if (paths.length === 0) return undefined;
  return `invalid configuration: cgroupRoot: ${
    missingPaths(printedName(root), paths)
  }`;
}

/** Undefined: nobody asks, or the disk does not answer. */
async function rootBytesOf(
  { config, ports: { clock, cluster: { machine }, log } }: CgroupParts,
  signal: AbortSignal,
): Promise<bigint | undefined> {
  if (!config.kubelet.localStorageCapacityIsolation) return undefined;
  const { rootDir } = config.paths;
  const limit = { clock, ms: LOOK_LIMIT_MS, signal };
  try {
    return await within(limit, () => machine.filesystemBytes(rootDir));
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    const why = chainOf(error);
    log.warn("Cannot tell whether too much storage is reserved", { why });
    return undefined;
  }
}

/** Undefined until the runtime has said which driver names the cgroups. */
async function wantedOf(
  parts: CgroupParts,
): Promise<WantedCgroups | undefined> {
  const { config, pods, healthReader, allocations } = parts;
  if (!healthReader.get().isReady) return undefined;
  const own = settingsOf(parts);
  const desired = parts.desiredReader.get();
  const active = othersOf(
    NOBODY,
    pods,
    wantedBy(parts.desiredReader, allocations),
  );
  // A sum over the pods that happen to be known would starve the others.
  const areAllKnown = desired.isReady && desired.unread.length === 0 &&
    parts.audit.lastAtMs !== undefined;
  if (areAllKnown) countProtected(parts, own, active);
  const protection = areAllKnown ? allPodsProtection(own, active) : {};
  return {
    top: await topOf(parts, own, protection),
    reserved: reservedCgroups({
      enforced: config.kubelet.enforceNodeAllocatable,
      reservation: reservation(config),
      cgroups: {
        system: config.kubelet.systemReservedCgroup,
        kube: config.kubelet.kubeReservedCgroup,
      },
      driver: own.cgroupDriver,
      hugePageSizes: own.machine.hugePageSizes,
      isMemoryKept: own.memoryQos !== undefined,
    }),
    classes: areAllKnown ? classCgroups(own, active) : [],
    pods: active.flatMap((pod) => {
      const path = podCgroup(own, pod)?.path;
      const values = () => podValues(parts, uidOf(pod));
      return path === undefined ? [] : [{ path, values }];
    }),
  };
}

/** What the pod is to have at this moment, if that is to be set from here. */
function podValues(parts: CgroupParts, uid: PodUid): CgroupValues | undefined {
  const { pods, desiredReader, allocations } = parts;
  const mayBeSet = allocations.cgroupOf(uid) !== "stale" &&
    maySet(pods.get(uid));
  const pod = mayBeSet
    ? holderOf(uid, pods, wantedBy(desiredReader, allocations))
    : undefined;
  return pod && podCgroup(settingsOf(parts), pod)?.values;
}

/** The cgroup of all pods; what holds no pods alone is never limited. */
async function topOf(
  { config, ports }: CgroupParts,
  settings: PodSettings,
  protection: CgroupValues,
): Promise<WantedCgroups["top"]> {
  const name = topCgroup(settings);
  if (name.length === 0) return undefined;
  const { limit } = await ports.usage.processes();
  const values = podsShare({
    machine: await ports.cluster.machine.facts(),
    mostProcesses: limit,
    reservation: reservation(config),
    enforced: config.kubelet.enforceNodeAllocatable,
  });
  return {
    name: printedName(name),
    path: cgroupPath(name, settings.cgroupDriver),
    values: { ...values, ...protection },
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

function countProtected(
  { config, ports: { meters } }: CgroupParts,
  settings: PodSettings,
  active: readonly V1Pod[],
): void {
  if (!config.features.MemoryQoS) return;
  const { min, low } = protectedBytes(settings, active);
  meters.memoryQosMin.set({}, Number(min));
  meters.memoryQosLow.set({}, Number(low));
}
