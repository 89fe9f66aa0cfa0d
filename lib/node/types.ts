/**
 * The node as this folder sees it: what it is told (`NodeSettings`), what it
 * has seen (`Observation`, `KnownNode`) and what it says (`NodeStatusJson`).
 * Objects of the API are plain JSON; times are RFC 3339 text.
 */
import type { Quantity } from "../api/quantity.ts";
import type { Step } from "../api/step.ts";
import type { ApiObject } from "../port/cluster.ts";
import type { Image } from "../port/images.ts";
import type { MachineFacts, NetworkFacts } from "../port/machine.ts";
import type { RuntimeStatus, RuntimeVersion } from "../port/runtime.ts";

export interface NodeTaint {
  readonly key: string;
  readonly value: string;
  readonly effect: string;
}

/** Which share, or how much, of a resource a hard eviction keeps free. */
export type Threshold =
  | { readonly kind: "share"; readonly percent: number }
  | { readonly kind: "amount"; readonly quantity: Quantity };

/** What is kept back from pods; absent resources: nothing. */
export interface Reservation {
  readonly system: ReadonlyMap<string, Quantity>;
  readonly kube: ReadonlyMap<string, Quantity>;
  readonly eviction: ReadonlyMap<string, Threshold>;
}

/** What does not change while the agent runs. */
export interface NodeSettings {
  readonly nodeName: string;
  /** At most two, of different families; `0.0.0.0` and `::` choose. */
  readonly nodeIps: readonly string[];
  /** A cloud controller sets addresses and takes the first taint away. */
  readonly isCloudExternal: boolean;
  readonly mayRegister: boolean;
  /** Labels given by the operator; used at creation only. */
  readonly labels: ReadonlyMap<string, string>;
  readonly taints: readonly NodeTaint[];
  readonly providerId: string;
  readonly leavesAttachToController: boolean;
  readonly maxPods: number;
  readonly podsPerCore: number;
  readonly reservation: Reservation;
  /** False: ephemeral storage is neither reported nor missed. */
  readonly isStorageIsolated: boolean;
  /** The directory whose file system is the ephemeral storage. */
  readonly rootDir: string;
  /** -1: all. */
  readonly maxImages: number;
  readonly port: number;
  /** `v1.36.3`; shows up as kubeletVersion. */
  readonly kubeletVersion: string;
  readonly statusUpdateMs: number;
  readonly statusReportMs: number;
  readonly leaseDurationSeconds: number;
  /** Longest wait for an answer to a status or lease call. */
  readonly heartbeatMs: number;
}

/** What is short on the node. Writer: eviction. */
export interface Pressure {
  readonly isMemoryShort: boolean;
  readonly isDiskShort: boolean;
  readonly isPidShort: boolean;
  /** By the type of the condition: what cannot be measured, and why. */
  readonly unmeasured: ReadonlyMap<string, string>;
}

const NONE_UNMEASURED: ReadonlyMap<string, string> = new Map();

export const NO_PRESSURE: Pressure = {
  isMemoryShort: false,
  isDiskShort: false,
  isPidShort: false,
  unmeasured: NONE_UNMEASURED,
};

/** Extended resources of devices on this node. */
export interface DeviceResources {
  readonly capacity: ReadonlyMap<string, string>;
  readonly allocatable: ReadonlyMap<string, string>;
  /** Once there, now gone: reported as 0, so that nobody else fills them in. */
  readonly removed: readonly string[];
}

const NOTHING: ReadonlyMap<string, string> = new Map();

export const NO_DEVICES: DeviceResources = {
  capacity: NOTHING,
  allocatable: NOTHING,
  removed: [],
};

/** Absent parts have not been seen yet. Writer: `observe.ts`. */
export interface Observation {
  readonly machine: MachineFacts | undefined;
  readonly network: NetworkFacts | undefined;
  /** What the host's resolver says about the node's name, where it matters. */
  readonly resolved: readonly string[] | undefined;
  readonly rootBytes: bigint | undefined;
  readonly runtimeVersion: RuntimeVersion | undefined;
  /** The last answer; it may be old. */
  readonly runtimeStatus: RuntimeStatus | undefined;
  /** Monotonic time of the first call without an answer since the last one. */
  readonly runtimeSilentSinceMs: number | undefined;
  readonly images: readonly Image[] | undefined;
}

export const UNSEEN: Observation = {
  machine: undefined,
  network: undefined,
  resolved: undefined,
  rootBytes: undefined,
  runtimeVersion: undefined,
  runtimeStatus: undefined,
  runtimeSilentSinceMs: undefined,
  images: undefined,
};

/** Everything a status is made of, at one moment. */
export interface NodeFacts {
  readonly settings: NodeSettings;
  readonly seen: Observation;
  readonly pressure: Pressure;
  readonly devices: DeviceResources;
  readonly isShuttingDown: boolean;
  /** What operators should know although the node works. */
  readonly problems: readonly string[];
  /** What the agent really does; sorted names of the feature registry. */
  readonly declaredFeatures: readonly string[];
  readonly nowMs: number;
  readonly monotonicMs: number;
}

export interface NodeAddress {
  readonly type: string;
  readonly address: string;
}

export interface NodeCondition {
  readonly type: string;
  readonly status: string;
  readonly lastHeartbeatTime: string;
  readonly lastTransitionTime: string;
  readonly reason: string;
  readonly message: string;
}

/** The node as the API server last told. Writer: the loops of this folder. */
export interface KnownNode {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  readonly podCidrs: readonly string[];
  readonly isUnschedulable: boolean;
  readonly taints: readonly NodeTaint[];
  readonly addresses: readonly NodeAddress[];
  readonly conditions: readonly NodeCondition[];
  readonly capacity: ReadonlyMap<string, string>;
  readonly allocatable: ReadonlyMap<string, string>;
  readonly bootId: string;
  /** `status` as it came. */
  readonly status: ApiObject;
  /** The whole object as it came: spec and metadata for other readers. */
  readonly object: ApiObject;
}

/** The fields of `status` that are ours to write. */
export interface NodeStatusJson {
  readonly addresses: readonly NodeAddress[];
  readonly allocatable: Readonly<Record<string, string>>;
  readonly capacity: Readonly<Record<string, string>>;
  readonly conditions: readonly NodeCondition[];
  readonly daemonEndpoints: ApiObject;
  readonly declaredFeatures: readonly string[];
  readonly features: ApiObject | undefined;
  readonly images: readonly ApiObject[] | undefined;
  readonly nodeInfo: ApiObject;
  readonly runtimeHandlers: readonly ApiObject[] | undefined;
}

/** Where events about the node are told to. Never fails and never waits. */
export interface NodeRecorder {
  record(step: Step): void;
}
