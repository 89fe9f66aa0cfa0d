/**
 * The wiring of the figures: what runs, where its cgroups, logs and volumes
 * are, and what the node says of itself.
 */
import type { Reader } from "./base/cell.ts";
import type { PodUid } from "./api/id.ts";
import { nameOf, podNameOf, usesHostNetwork } from "./api/pod.ts";
import type { V1Pod, V1Volume } from "./api/types.ts";
import type { AgentPorts } from "./agent_ports.ts";
import type { Config } from "./config/load.ts";
import {
  currentSandbox,
  type ObservedPod,
  type PodSettings,
  type RuntimeHealth,
} from "./pod/facts.ts";
import { cgroupParent, podLogDirectory, podTiers } from "./pod/paths.ts";
import type { StatsRouteParts } from "./server/stats.ts";
import { Stats } from "./stats/run.ts";
import type {
  MeasuredContainer,
  MeasuredPod,
  MeasuredVolume,
} from "./stats/types.ts";
import type { PodMemory, PodsReader } from "./sync/store.ts";
import type { VolumeState } from "./volume/types.ts";

export interface StatsParts {
  readonly config: Config;
  readonly ports: AgentPorts;
  readonly settings: PodSettings;
  readonly healthReader: Reader<RuntimeHealth>;
  readonly pods: PodsReader;
  readonly volumes: { stateOf(uid: PodUid): VolumeState | undefined };
}

export function createStats(parts: StatsParts): Stats {
  const { config, ports, healthReader, pods, volumes } = parts;
  const { volumeStatsAggPeriod: periodMs } = config.kubelet;
  // Compat: the runtime's cgroup driver wins over the configured one.
  const settings = () => {
    const { cgroupDriver } = healthReader.get();
    return cgroupDriver === undefined
      ? parts.settings
      : { ...parts.settings, cgroupDriver };
  };
  return new Stats({
    ...ports,
    pods: () => {
      const now = settings();
      return [...pods].flatMap(([uid, memory]) =>
        measuredPod(now, memory, volumes.stateOf(uid)) ?? []
      );
    },
  }, {
    rootDir: config.paths.rootDir,
    isRootMeasured: config.kubelet.localStorageCapacityIsolation,
    allPods: () => podTiers(settings()).all,
    classes: () => podTiers(settings()).classes,
    // Compat: kubelet 1.36: nothing is calculated without a period.
    diskAgeMs: periodMs > 0 ? periodMs : -1,
  });
}

/** What the node tells of itself beside its figures. */
export function statsNode(
  { config, ports }: StatsParts,
  stats: Stats,
  version: string,
): Pick<StatsRouteParts, "node" | "machine"> {
  const { usage, cluster: { machine } } = ports;
  const { kubeletCgroups, systemCgroups } = config.kubelet;
  const { runtimeCgroups } = config.flags;
  return {
    node: async () => {
      const own = kubeletCgroups === ""
        ? (await usage.own()).cgroup
        : kubeletCgroups;
      const named = [
        ["kubelet", own],
        ["runtime", runtimeCgroups],
        // Compat: kubelet 1.36 SystemContainerMisc
        ["misc", systemCgroups],
      ] as const;
      const found = await Promise.all(named.map(async ([name, cgroup]) => {
        const sample = await stats.sample(cgroup, "main");
        return sample === undefined ? [] : [{ name, sample }];
      }));
      return {
        nodeName: config.nodeName,
        startedAtMs: await usage.bootedAtMs(),
        system: found.flat(),
        memoryBytes: ports.host.memoryBytes(),
        swapBytes: (await machine.facts()).swapBytes,
      };
    },
    machine: async () => {
      const { cpuCount: cores, ...facts } = await machine.facts();
      const bootedAtMs = await usage.bootedAtMs();
      return { ...facts, cores, version, bootedAtMs };
    },
  };
}

/** Undefined while nothing of it runs, or nobody wants it. */
export function measuredPod(
  settings: PodSettings,
  { pod, observed, status }: PodMemory,
  volumes: VolumeState | undefined,
): MeasuredPod | undefined {
  if (pod === undefined) return undefined;
  const sandbox = currentSandbox(observed);
  const containers = running(settings, pod, observed);
  if (sandbox?.isReady !== true && containers.length === 0) return undefined;
  const { uid, namespace, name } = podNameOf(pod);
  return {
    uid,
    namespace,
    name,
    cgroup: cgroupParent(settings, pod),
    hasOwnCgroup: settings.usesQosCgroups,
    sandbox: sandbox?.isReady === true ? sandbox.id : undefined,
    sandboxStartedAtMs: sandbox?.createdAtMs,
    isHostNetwork: usesHostNetwork(pod),
    startTime: status?.startTime,
    containers,
    volumes: measuredVolumes(pod, volumes),
  };
}

function running(
  settings: PodSettings,
  pod: V1Pod,
  observed: ObservedPod,
): MeasuredContainer[] {
  const logs = podLogDirectory(settings, podNameOf(pod));
  return observed.containers.filter(({ state }) => state === "running")
    .map(({ id, name, image, startedAtMs }) => ({
      id,
      name,
      image,
      startedAtMs,
      logDirectory: `${logs}/${name}`,
    }));
}

/** Compat: kubelet 1.36: paths of the host and images tell of nothing. */
function measuredVolumes(
  pod: V1Pod,
  state: VolumeState | undefined,
): MeasuredVolume[] {
  if (state?.kind !== "ready") return [];
  return (pod.spec?.volumes ?? []).flatMap((volume): MeasuredVolume[] => {
    const path = state.paths.get(volume.name) ?? "";
    const isDevice = state.mounted?.get(volume.name)?.isDevice === true;
    const kind = kindOf(pod, volume);
    return kind === undefined || path === "" || isDevice
      ? []
      : [{ name: volume.name, path, ...kind }];
  });
}

function kindOf(
  pod: V1Pod,
  volume: V1Volume,
): Omit<MeasuredVolume, "name" | "path"> | undefined {
  const { emptyDir, configMap, persistentVolumeClaim, ephemeral, nfs } = volume;
  const own = { measuredBy: "walk", isEphemeral: true } as const;
  const other = { measuredBy: "file-system", isEphemeral: false } as const;
  if (emptyDir !== undefined) {
    const isOnDisk = (emptyDir.medium ?? "") === "";
    return { ...own, medium: isOnDisk ? "disk" : "memory" };
  }
  if (configMap !== undefined) return { ...own, medium: "disk" };
  if (volume.secret ?? volume.projected ?? volume.downwardAPI) {
    return { ...own, medium: "memory" };
  }
  const claim = persistentVolumeClaim?.claimName ??
    (ephemeral === undefined ? undefined : `${nameOf(pod)}-${volume.name}`);
  if (claim !== undefined) return { ...other, medium: "disk", claim };
  return nfs === undefined ? undefined : { ...other, medium: "disk" };
}
