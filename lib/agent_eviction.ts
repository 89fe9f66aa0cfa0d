/**
 * The wiring of eviction: which pods may go, what frees the disk before one
 * has to, and who hears of what is short.
 */
import type { Reader, Writer } from "./base/cell.ts";
import type { KeyedQueue } from "./base/keyed_queue.ts";
import type { PodUid } from "./api/id.ts";
import type { V1Pod } from "./api/types.ts";
import type { Loop, Membership } from "./agent_cluster.ts";
import type { AgentPorts } from "./agent_ports.ts";
import type { Config } from "./config/load.ts";
import { EvictionLoop } from "./eviction/run.ts";
import { parseThresholds } from "./eviction/thresholds.ts";
import type { EvictionOrders, PressureKind } from "./eviction/types.ts";
import type { ImageCollector } from "./image/collect.ts";
import { watchOoms } from "./node/oom.ts";
import type { Pressure } from "./node/types.ts";
import type { PodSettings, RuntimeHealth } from "./pod/facts.ts";
import { podTiers } from "./pod/paths.ts";
import { isTerminal } from "./pod/phase.ts";
import { mayStillRun } from "./pod/stop.ts";
import type { Recorder } from "./port/recorder.ts";
import type { LoopView } from "./server/view.ts";
import type { Stats } from "./stats/run.ts";
import { removeDeadContainers } from "./sync/dead_containers.ts";
import { currentSettings } from "./sync/settings.ts";
import type { PodsReader } from "./sync/store.ts";

export interface EvictionParts {
  readonly config: Config;
  readonly ports: AgentPorts;
  readonly settings: PodSettings;
  readonly healthReader: Reader<RuntimeHealth>;
  readonly pods: PodsReader;
  readonly queue: KeyedQueue<PodUid>;
  readonly recorder: Recorder;
  readonly membership: Membership | undefined;
  readonly stats: Stats;
  readonly volumes: { isLetGo(uid: PodUid): boolean };
  readonly imageCollector: ImageCollector;
  readonly evictions: Writer<EvictionOrders>;
  readonly pressure: Writer<readonly PressureKind[]>;
  readonly unmeasured: Writer<ReadonlyMap<PressureKind, string>>;
}

export function createEviction(parts: EvictionParts): EvictionLoop {
  const { config, ports, pods, queue, imageCollector } = parts;
  const { kubelet, paths } = config;
  const { meters } = ports;
  const settings = () =>
    currentSettings({ ...parts, ...ports }, parts.healthReader.get());
  return new EvictionLoop({
    ...ports,
    ...parts,
    orders: parts.evictions,
    pods: () => activePods(pods),
    isCleanedUp: (uid) => isCleanedUp(parts, uid),
    isForgotten: (uid) => !pods.has(uid),
    interrupt: (uid) => queue.interrupt(uid),
    kernel: kubelet.kernelMemcgNotification ? ports.kernel : undefined,
    nodeRecorder: parts.membership?.nodeRecorder ?? NOBODY,
    counted: (signal, ageMs) => {
      const labels = { eviction_signal: signal };
      meters.evictions.add(labels);
      if (ageMs !== undefined) meters.evictionAge.observe(labels, ageMs / 1000);
    },
    hostsBytes: async (uid) => {
      const path = `${paths.rootDir}/pods/${uid}/etc-hosts`;
      const found = await ports.files.stat(path);
      return BigInt(found?.sizeBytes ?? 0);
    },
    removeDeadContainers: (signal) =>
      removeDeadContainers({ ...ports, pods, settings: settings() }, signal),
    removeUnusedImages: async (signal) => {
      await imageCollector.removeUnused(signal);
    },
  }, {
    thresholds: parseThresholds(kubelet),
    transitionMs: kubelet.evictionPressureTransitionPeriod,
    maxGraceSeconds: kubelet.evictionMaxPodGracePeriod,
    isStorageIsolated: kubelet.localStorageCapacityIsolation,
    rootDir: paths.rootDir,
    memoryBytes: ports.host.memoryBytes(),
    allPods: () => podTiers(settings()).all,
  });
}

/** Tells of what the kernel ends when the machine runs out of memory. */
export function followOoms(
  { ports, membership }: Pick<EvictionParts, "ports" | "membership">,
): Loop {
  const nodeRecorder = membership?.nodeRecorder ?? NOBODY;
  return {
    name: "kernel-log",
    run: (signal) => watchOoms({ ...ports, nodeRecorder }, signal),
  };
}

/**
 * Nothing of the pod runs, and its volumes, which may take memory, are let go.
 * The state alone tells only that this is being done.
 */
export function isCleanedUp(
  { pods, volumes }: Pick<EvictionParts, "pods" | "volumes">,
  uid: PodUid,
): boolean {
  const memory = pods.get(uid);
  if (memory === undefined) return true;
  const { state, observed } = memory;
  return state.kind === "done" && !observed.containers.some(mayStillRun) &&
    !observed.sandboxes.some(({ isReady }) => isReady) &&
    volumes.isLetGo(uid);
}

/** Pods that have not ended. Who of them runs, the figures tell. */
export function activePods(pods: PodsReader): readonly V1Pod[] {
  return [...pods.values()].flatMap(({ pod, state, status }) => {
    const isOver = state.kind === "done" || state.kind === "cleaning" ||
      isTerminal(status?.phase);
    return pod === undefined || isOver ? [] : [pod];
  });
}

/** What is short, as the node's conditions tell it. */
export function nodePressure(
  { pressureReader: pressure, unmeasuredReader }: {
    readonly pressureReader: Reader<readonly PressureKind[]>;
    readonly unmeasuredReader: Reader<ReadonlyMap<PressureKind, string>>;
  },
): Reader<Pressure> {
  const told = (kinds: readonly PressureKind[]): Pressure => ({
    isMemoryShort: kinds.includes("MemoryPressure"),
    isDiskShort: kinds.includes("DiskPressure"),
    isPidShort: kinds.includes("PIDPressure"),
    unmeasured: unmeasuredReader.get(),
  });
  return {
    get: () => told(pressure.get()),
    async *changes(signal) {
      for await (const kinds of pressure.changes(signal)) yield told(kinds);
    },
  };
}

/** One line for each threshold, and one for who would go. */
export function evictionViews(loop: EvictionLoop): LoopView[] {
  const { thresholds, ranking, lastAtMs, pressures } = loop.view();
  const untimed = { nextAtMs: undefined, lastAtMs };
  return [
    ...thresholds.map(({ threshold, detail, isMet }) => ({
      ...untimed,
      name: threshold,
      detail,
      ...isMet ? { problem: `${threshold}: ${detail}` } : {},
    })),
    ...pressures.length === 0 ? [] : [{
      ...untimed,
      name: "eviction",
      detail: ranking.length === 0
        ? `tells of ${pressures.join(", ")}`
        : `ranked for eviction, the first goes first: ${
          ranking.map(({ text }) => text).join("; ")
        }`,
    }],
  ];
}

/** Where a pod stands among those that would be evicted, while some would. */
export function evictionPlace(loop: EvictionLoop, uid: PodUid) {
  const { ranking } = loop.view();
  const at = ranking.findIndex((each) => each.uid === uid);
  const text = ranking[at]?.text;
  return text === undefined ? {} : { eviction: `${at + 1}. in line: ${text}` };
}

/** A standalone node has no events; the log tells the same. */
export const NOBODY = { record: () => {} };
