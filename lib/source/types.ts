/**
 * Where wanted pods come from, as others see it: the value of the `desired`
 * cell, whose only writer is `run.ts`.
 */
import type { PodUid } from "../api/id.ts";
import type { V1Pod } from "../api/types.ts";

/** A folder or file of manifests, the URL of some, or the API server. */
export type SourceKind = "file" | "url" | "api";

/** The location of what comes from there. */
export const API_SERVER = "the API server";

/** One manifest file, the URL, or the API server. */
export interface Origin {
  readonly kind: SourceKind;
  readonly location: string;
}

/** A wanted pod, complete: defaults filled in, validated, with an identity. */
export interface WantedPod {
  readonly pod: V1Pod;
  readonly uid: PodUid;
  readonly origin: Origin;
}

/** What is wrong with a manifest, as far as its text tells. */
export interface Finding {
  /** An `error` keeps the pod out, a `warning` does not. */
  readonly severity: "error" | "warning";
  /** `spec.containers[0].name`; absent when no field is to blame. */
  readonly field?: string;
  /** Both count from 1. */
  readonly line?: number;
  readonly column?: number;
  /** With the field, its value and what is allowed. */
  readonly message: string;
  /** A whole pod whose name another one of its source has. */
  readonly duplicate?: { readonly pod: V1Pod; readonly kind: SourceKind };
}

/** A finding with its place and age. */
export interface ManifestProblem extends Finding {
  readonly location: string;
  readonly sinceMs: number;
}

/** The value of the `desired` cell. Writer: `lib/source/run.ts`. */
export interface Desired {
  readonly pods: ReadonlyMap<PodUid, WantedPod>;
  /** The sources that have delivered at least once. */
  readonly readySources: ReadonlySet<SourceKind>;
  /**
   * True when every configured source has delivered. Until then no running
   * pod may be stopped for not being wanted.
   */
  readonly isReady: boolean;
  readonly problems: readonly ManifestProblem[];
  /**
   * Manifests that have been broken since the agent started: which of the
   * running pods are theirs, nobody knows, so none of those is stopped.
   */
  readonly unread: readonly string[];
  /**
   * By full name: the pods at the API server that stand for static pods.
   * Nothing of them runs.
   */
  readonly mirrors: ReadonlyMap<string, V1Pod>;
}

const NO_PODS: ReadonlyMap<PodUid, WantedPod> = new Map();
const NO_SOURCES: ReadonlySet<SourceKind> = new Set();
const NO_MIRRORS: ReadonlyMap<string, V1Pod> = new Map();

/** What is wanted before anybody has looked. */
export const NOTHING_YET: Desired = {
  pods: NO_PODS,
  readySources: NO_SOURCES,
  isReady: false,
  problems: [],
  unread: [],
  mirrors: NO_MIRRORS,
};
