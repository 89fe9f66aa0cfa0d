/**
 * Everything known about one pod at one moment, as one frozen value. Gathered
 * by `sync/facts.ts`, read by every decision and projection in this folder,
 * which look at nothing else.
 */
import type { PodUid, SandboxId } from "../api/id.ts";
import type { V1Pod } from "../api/types.ts";
import type { DnsConfig } from "../port/runtime_spec.ts";
import type { ContainerStatus, SandboxStatus } from "../port/runtime_status.ts";
import type { PodName } from "../api/pod.ts";
import type { ImageState } from "../image/types.ts";
import type { Verdicts } from "../probe/types.ts";
import type { ReferenceState, ServiceFacts } from "../reference/types.ts";
import type { VolumeState } from "../volume/types.ts";
import type { AdmissionNode } from "./admit.ts";
import type { PodState } from "./state.ts";

export interface ObservedContainer extends ContainerStatus {
  readonly sandboxId: SandboxId;
}

/** What the runtime had for this pod at `atMs`. Newest first in each list. */
export interface ObservedPod {
  readonly sandboxes: readonly SandboxStatus[];
  readonly containers: readonly ObservedContainer[];
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

/** The runtime as a whole, as last heard. */
export interface RuntimeHealth {
  readonly isReady: boolean;
  readonly isNetworkReady: boolean;
  /** Why not, in the runtime's words; empty when all is well. */
  readonly message: string;
  /** `containerd`: the scheme of container ids. */
  readonly name: string;
  /** As the runtime says; undefined when it does not. */
  readonly cgroupDriver: "systemd" | "cgroupfs" | undefined;
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
  /** The host's resolver configuration, read at start. */
  readonly hostDns: DnsConfig;
  /** `/` or a cgroup path below which `kubepods` lies. */
  readonly cgroupRoot: string;
  readonly cgroupDriver: "systemd" | "cgroupfs";
  readonly usesQosCgroups: boolean;
  /** Undefined when CFS quotas are switched off. */
  readonly cpuPeriodUs: bigint | undefined;
  readonly longestRestartDelayMs: number;
  readonly isSeccompDefault: boolean;
  readonly seccompDir: string;
  readonly memoryBytes: bigint;
  /** Kernel parameters that pods may set besides the safe ones. */
  readonly allowedUnsafeSysctls: readonly string[];
}

export interface Facts {
  readonly uid: PodUid;
  /** The pod that its source wants; undefined when no source does. */
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
  /** By step: `sandbox`, `files`, `remove` or a container's name. */
  readonly failures: ReadonlyMap<string, Failure>;
  /** Restart counts found in log directories, for pods the runtime forgot. */
  readonly loggedAttempts: ReadonlyMap<string, number>;
  readonly runtime: RuntimeHealth;
  readonly settings: PodSettings;
}

/** The sandbox that counts: the newest one. */
export function currentSandbox(
  observed: ObservedPod,
): SandboxStatus | undefined {
  return observed.sandboxes[0];
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
  return observed.sandboxes.length === 0 && observed.containers.length === 0;
}
