/**
 * Everything known about one pod at one moment, as one frozen value. Gathered
 * by `sync/facts.ts`, read by every decision and projection in this folder,
 * which look at nothing else.
 */
import type { ContainerId, PodUid, SandboxId } from "../api/id.ts";
import type { CgroupDriver } from "../api/cgroup_name.ts";
import type { V1Pod } from "../api/types.ts";
import type { HostTraits, NodeText } from "../port/host.ts";
import type { RuntimeHandler } from "../port/runtime.ts";
import type { DnsConfig } from "../port/runtime_spec.ts";
import type { ContainerStatus, SandboxStatus } from "../port/runtime_status.ts";
import type { PodName } from "../api/pod.ts";
import type { ImageState } from "../image/types.ts";
import type { Verdicts } from "../probe/types.ts";
import type { ReferenceState, ServiceFacts } from "../reference/types.ts";
import type { VolumeState } from "../volume/types.ts";
import type { AdmissionNode } from "./admit.ts";
import type { ResizeGates } from "./allocation.ts";
import type { DeadLimits } from "./dead_limits.ts";
import type { Deadline } from "./deadline.ts";
import type { Evicted } from "./evicted.ts";
import type { PodGates } from "./gates.ts";
import type { Preemptions } from "./preempt.ts";
import type { Pressures } from "./pressure.ts";
import type { ResizeFacts } from "./resize_facts.ts";
import type { ShutDown } from "./shut_down.ts";
import type { PodState } from "./state.ts";
import type { IdRange } from "./userns.ts";

export interface ObservedContainer extends ContainerStatus {
  readonly sandboxId: SandboxId;
  /** What it left to say; it stands in `message` too. Read once, at its end. */
  readonly lastWords?: string;
}

/** What the runtime had for this pod at `atMs`. Newest first in each list. */
export interface ObservedPod {
  readonly sandboxes: readonly SandboxStatus[];
  readonly containers: readonly ObservedContainer[];
  /**
   * Made, but their start was cut off with the agent that had asked for it:
   * they have never run, and are made anew. Absent: none.
   */
  readonly cutOff?: readonly ObservedContainer[];
  readonly atMs: number;
}

/** A step that failed, and when it may be tried again. */
export interface Failure {
  /** The waiting reason it shows as, `CreateContainerError` for instance. */
  readonly reason: string;
  /** The runtime's own words. */
  readonly message: string;
  readonly count: number;
  readonly failedAtMs: number;
  readonly retryAtMs: number;
}

/** A container that was told to stop, by this agent, in its life. */
export interface StopUnderWay {
  /** Epoch milliseconds; nobody waits longer for it. */
  readonly killAtMs: number;
  /** It did not work, and when it may be tried again. */
  readonly failure?: Failure;
}

/** The runtime as a whole, as last heard. */
export interface RuntimeHealth {
  readonly isReady: boolean;
  readonly isNetworkReady: boolean;
  /** Why not, in the runtime's words; empty when all is well. */
  readonly message: string;
  /** `containerd`: the scheme of container ids. */
  readonly name: string;
  /** As the runtime says; undefined when it does not. */
  readonly cgroupDriver: CgroupDriver | undefined;
  /** Empty when the runtime does not say. */
  readonly handlers: readonly RuntimeHandler[];
}

/** How memory is kept for pods; the gate is on and the kernel can. */
export interface MemoryQos {
  /** `memoryReservationPolicy: TieredReservation`. */
  readonly isTiered: boolean;
  /** Above 0, at most 1. */
  readonly throttlingFactor: number;
}

/** What does not change while the agent runs. */
export interface PodSettings {
  readonly nodeName: string;
  readonly podLogsDir: string;
  readonly containerLogsDir: string;
  /** Directory of a pod's own files: `<podsDir>/<uid>`. */
  readonly podsDir: string;
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
  /** The host's resolver configuration as it is now. */
  readonly hostDns: DnsConfig;
  /** Why it cannot be read, if so. */
  readonly hostDnsFault?: string;
  /** Empty: pods that use the host's resolvers get the node itself. */
  readonly resolvConf: string;
  /** Where the node's own /etc/hosts is. */
  readonly hostsPath: string;
  /** The node's /etc/hosts as it is now. */
  readonly nodeHosts: NodeText;
  /** `/` or a cgroup path below which `kubepods` lies. */
  readonly cgroupRoot: string;
  readonly cgroupDriver: CgroupDriver;
  readonly usesQosCgroups: boolean;
  /** Undefined when CFS quotas are switched off. */
  readonly cpuPeriodUs: bigint | undefined;
  /** How many processes a pod may have; 0 or less: as many as it likes. */
  readonly podPidsLimit: bigint;
  /** How long a second crash delays the restart; it doubles from there. */
  readonly firstRestartDelayMs: number;
  readonly longestRestartDelayMs: number;
  readonly deadLimits: DeadLimits;
  readonly gates: PodGates & ResizeGates;
  /** Guaranteed pods keep the cpus that they were given. */
  readonly fixesCpus: boolean;
  /** And their memory. */
  readonly fixesMemory: boolean;
  readonly isSeccompDefault: boolean;
  /** Feature gate ContainerStopSignals. */
  readonly hasStopSignals: boolean;
  readonly seccompDir: string;
  readonly memoryBytes: bigint;
  /** What of it is not reserved; eviction's part is in it. */
  readonly allocatableMemoryBytes: bigint;
  /** Undefined: memory is limited only. */
  readonly memoryQos: MemoryQos | undefined;
  /**
   * How much of what pods ask for is out of reach of lower classes; undefined:
   * they may take it all.
   */
  readonly memoryReservePercent: bigint | undefined;
  readonly machine: HostTraits;
  /** Burstable pods may use their share of the node's swap. */
  readonly mayUseSwap: boolean;
  /** Out of memory, the kernel ends one process instead of all. */
  readonly endsSingleProcess: boolean;
  /** Kernel parameters that pods may set besides the safe ones. */
  readonly allowedUnsafeSysctls: readonly string[];
}

export interface Facts {
  readonly uid: PodUid;
  /**
   * The pod that its source wants, with the resources that it was given;
   * undefined when no source does.
   */
  readonly pod: V1Pod | undefined;
  /** As last known, from its source or from its labels. */
  readonly name: PodName | undefined;
  /** False until every source has reported once. */
  readonly areSourcesReady: boolean;
  /** Another pod of the same full name that is still here. */
  readonly rival: PodUid | undefined;
  readonly state: PodState;
  /** Its phase is Succeeded or Failed, which is for good; never static. */
  readonly hasEnded: boolean;
  /** Containers that ran and are gone, and shall not run again. */
  readonly lost: ReadonlySet<string>;
  /** Undefined: the pod may run for ever. */
  readonly deadline: Deadline | undefined;
  /** The node, or a limit of its own, wants it to go. */
  readonly evicted: Evicted;
  /** Pods, this one perhaps, that have to go for a critical one. */
  readonly preemptions: Preemptions;
  /** The machine goes down, and it is this pod's turn to end. */
  readonly shutdown: ShutDown;
  /** The machine goes down; asked before a pod is let in. */
  readonly isShuttingDown: boolean;
  /** What is short on the node; asked before a pod is let in. */
  readonly pressures: Pressures;
  /** What was given, what was set, and what is still to come. */
  readonly resize: ResizeFacts;
  /** Every container is removed, and then started anew. */
  readonly isRestartingAll: boolean;
  /** It may run here: that was decided once, and stays. */
  readonly isAdmitted: boolean;
  /** The node as pods ask for it; undefined while nobody knows. */
  readonly node: AdmissionNode | undefined;
  /** The pods that were admitted before; empty for one that was. */
  readonly others: readonly V1Pod[];
  /** The node's addresses, primary first; empty while unknown. */
  readonly hostIps: readonly string[];
  readonly observed: ObservedPod;
  /** By container name; absent: nobody asked yet. */
  readonly images: ReadonlyMap<string, ImageState>;
  /** Undefined: nobody asked yet. */
  readonly volumes: VolumeState | undefined;
  /** By container name; absent: nobody asked yet. */
  readonly references: ReadonlyMap<string, ReferenceState>;
  /**
   * Of the pod's namespace, and `default/kubernetes`. Undefined: they have not
   * been listed yet.
   */
  readonly services: readonly ServiceFacts[] | undefined;
  /** What pods may use of the node: `memory` → `7Gi`; empty while unknown. */
  readonly allocatable: ReadonlyMap<string, string>;
  /** What the probes say, by container instance. */
  readonly verdicts: Verdicts;
  /** Instances that a probe wanted ended, also once they are. */
  readonly endedByProbe: ReadonlySet<ContainerId>;
  /** By step: `sandbox`, `files`, `remove` or a container's name. */
  readonly failures: ReadonlyMap<string, Failure>;
  /** Stops that go on beside the passes. */
  readonly stops: ReadonlyMap<ContainerId, StopUnderWay>;
  /** Restart counts found in log directories, for pods the runtime forgot. */
  readonly loggedAttempts: ReadonlyMap<string, number>;
  readonly runtime: RuntimeHealth;
  /**
   * Handlers by runtime class; undefined while nobody knows, or for a pod that
   * names no class.
   */
  readonly runtimeClasses: ReadonlyMap<string, string> | undefined;
  /** The ids of the pod's own user namespace, once it has some. */
  readonly userIds: IdRange | undefined;
  readonly settings: PodSettings;
}

/** The sandbox that counts: the newest one. */
export function currentSandbox(
  observed: ObservedPod,
): SandboxStatus | undefined {
  return observed.sandboxes[0];
}

/** Where the pod is asked from its own node; undefined when nowhere. */
export function podIpOf(facts: Facts): string | undefined {
  return currentSandbox(facts.observed)?.ips[0] ?? facts.hostIps[0];
}

/** Every instance of one container, newest first. */
export function instancesOf(
  observed: ObservedPod,
  name: string,
): readonly ObservedContainer[] {
  return observed.containers.filter((container) => container.name === name);
}

/** True when nothing of the pod is left in the runtime. */
export function isGone(observed: ObservedPod): boolean {
  const { sandboxes, containers, cutOff = [] } = observed;
  return [sandboxes, containers, cutOff].every(({ length }) => length === 0);
}
