/**
 * What a pod refers to, for those who need it: the pod core, the sync loop, and
 * whoever reads secrets and config maps on behalf of a pod.
 */
import type { ApiObject } from "../port/cluster.ts";

/** A secret or config map. Invariant: the namespace is the pod's own. */
export interface ObjectAsk {
  readonly kind: "secret" | "configmap";
  readonly namespace: string;
  readonly name: string;
}

/**
 * The objects that one user (a volume, a container's environment) has asked
 * for. They are watched for as long as somebody holds them.
 */
export interface ObjectHold {
  /**
   * The object, at least as new as the hold; undefined when there is none,
   * which is never remembered. Without an answer of the API server: as last
   * known to this hold, else rejects (`retry`). Rejects with the signal's
   * reason when that is sooner.
   */
  get(ask: ObjectAsk, signal: AbortSignal): Promise<ApiObject | undefined>;
  /** Lets go of everything; the object may be forgotten. */
  close(): void;
}

/** Compat: kubelet 1.36 configMapAndSecretChangeDetectionStrategy. */
export type Detection = "Watch" | "Cache" | "Get";

/** One cache for the whole agent; see objects.ts. */
export interface ReferencedObjects {
  /** `changed`: an object that this hold was given is another by now. */
  hold(changed: () => void): ObjectHold;
}

/** A service, as far as containers are told of it. */
export interface ServiceFacts {
  readonly namespace: string;
  readonly name: string;
  readonly clusterIp: string;
  readonly ports: readonly {
    readonly name: string;
    readonly port: number;
    readonly protocol: string;
  }[];
}

/** What was found for the environment of one container. */
export interface FoundReferences {
  /** By the index in `envFrom`: what it brings, without its prefix. */
  readonly envFrom: ReadonlyMap<number, ReadonlyMap<string, string>>;
  /** By the index in `env`; absent: the variable is left out. */
  readonly env: ReadonlyMap<number, string>;
}

/**
 * What the next start of one container refers to.
 *
 *   collecting ──► found           (consumed by the start)
 *      ▲ └───────► failed
 *      └─────────────┘ (after its back-off, or when something changed)
 */
export type ReferenceState =
  | { readonly kind: "collecting"; readonly sinceMs: number }
  | { readonly kind: "found"; readonly found: FoundReferences }
  | {
    readonly kind: "failed";
    readonly message: string;
    readonly count: number;
    readonly failedAtMs: number;
    readonly retryAtMs: number;
  };
