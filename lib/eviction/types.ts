/**
 * Types of eviction: what is measured of the node and of its pods, at which
 * thresholds something is short, and the orders that come of it. Pod and sync
 * read the orders; nobody else writes them than `run.ts`.
 */
import type { Signal } from "../api/eviction_signal.ts";
import type { PodUid } from "../api/id.ts";
import type { Quantity } from "../api/quantity.ts";
import type { QuantityForm } from "../api/quantity_text.ts";
import type { V1Pod } from "../api/types.ts";

/** As messages and events call it. */
export type Resource = "memory" | "ephemeral-storage" | "inodes" | "pids";

/** An amount, or a share of the capacity. */
export type Amount =
  | {
    readonly kind: "quantity";
    readonly quantity: Quantity;
    readonly form: QuantityForm;
  }
  | { readonly kind: "share"; readonly percent: number };

/** Something is short when less than `value` of it is available. */
export interface Threshold {
  readonly signal: Signal;
  readonly value: Amount;
  /** How long it has to be short; 0: a hard threshold. */
  readonly graceMs: number;
  /** Once short, it stays so until this much more is available. */
  readonly minReclaim?: Amount;
}

/** Bytes, inodes or processes. */
export interface Observation {
  readonly available: bigint;
  readonly capacity: bigint;
  /** Epoch milliseconds. */
  readonly atMs: number;
}

export type Observations = ReadonlyMap<Signal, Observation>;

/**
 * Where images and writable layers lie: on the node's own disk, both on one of
 * their own (`apart`), or only the images (`split`).
 */
export type DiskLayout = "one" | "apart" | "split";

export interface ContainerUse {
  readonly name: string;
  readonly memoryBytes: bigint | undefined;
  /** Of the writable layer and of the logs; undefined: not measured. */
  readonly layer: DiskUse | undefined;
  readonly logs: DiskUse | undefined;
}

export interface DiskUse {
  readonly bytes: bigint;
  readonly inodes: bigint;
}

/** A pod that runs, and what it takes. */
export interface PodUse {
  readonly uid: PodUid;
  readonly pod: V1Pod;
  /** Working set; undefined: not measured. */
  readonly memoryBytes: bigint | undefined;
  readonly processes: bigint | undefined;
  readonly containers: readonly ContainerUse[];
  /** By name; those that only this pod writes to, and paths of the host. */
  readonly volumes: ReadonlyMap<
    string,
    DiskUse & { readonly isOnDisk: boolean }
  >;
  /** Its own /etc/hosts, which lies on the node's disk. */
  readonly hostsBytes: bigint;
}

/** A pod has to go. Writer: `run.ts`. */
export interface EvictionOrder {
  /** The signal or limit that it goes for. */
  readonly signal: string;
  readonly graceSeconds: number;
  /** `status.message`. */
  readonly message: string;
  /** The node's need, not the pod's own limit: it is a disruption. */
  readonly isNodeShort: boolean;
}

export type EvictionOrders = ReadonlyMap<PodUid, EvictionOrder>;

/** Compat: kubelet 1.36 eviction.Reason. */
export const EVICTED = "Evicted";

/** Kinds of pressure, in the order in which they are named. */
export const PRESSURES = [
  "MemoryPressure",
  "DiskPressure",
  "PIDPressure",
] as const;

export type PressureKind = typeof PRESSURES[number];

/** What `denolet explain` tells of one threshold. */
export interface EvictionView {
  readonly thresholds: readonly {
    readonly threshold: string;
    readonly detail: string;
    readonly isMet: boolean;
  }[];
  readonly pressures: readonly PressureKind[];
  /** Who would go first, worst first, as last ranked. */
  readonly ranking: readonly {
    readonly uid: PodUid;
    readonly text: string;
  }[];
  readonly lastAtMs: number | undefined;
}
